"""The cast and the money of the tests, made through the same verbs as everywhere."""

from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from django.db import transaction
from factory.django import DjangoModelFactory

from marketplace.accounts.models import User
from payments import services
from payments.models import HeldFunds

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def after(**length: float) -> datetime:
    return NOON + timedelta(**length)


class PersonFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    name = factory.Sequence(lambda number: f"Person {number}")
    email = factory.Sequence(lambda number: f"person{number}@example.com")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(**kwargs)


class HeldFundsFactory(DjangoModelFactory[HeldFunds]):
    """Held funds that nobody has paid for yet: $100.00 at the default fees."""

    class Meta:
        model = HeldFunds

    reference = factory.Sequence(lambda number: f"order-{number}/7")
    description = "Logo design: first sketches"
    payer = factory.SubFactory(PersonFactory, name="Berta Buyer")
    payee = factory.SubFactory(PersonFactory, name="Selma Seller")
    price = 10_000
    currency = "USD"
    buyer_fee_rate = 550
    commission_rate = 2000

    @classmethod
    def _create(cls, model_class: type[HeldFunds], *args: Any, **kwargs: Any) -> HeldFunds:
        with transaction.atomic():
            return services.hold(**kwargs)
