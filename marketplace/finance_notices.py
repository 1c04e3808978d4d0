"""Finance is told of what waits for it (P4): refused refunds, chargebacks with a rest, withdrawals."""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from django.db import transaction
from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.reader import reading_as
from marketplace.notifications.models import Notice
from marketplace.notifications.services import tell
from payments.models import Chargeback, Refund, Withdrawal

BATCH = 200


class Waiting(NamedTuple):
    key: str
    title: StrOrPromise
    row: Model
    url: str


def tell_finance() -> int:
    """Tell everybody in Finance of each thing that waits for them, once; returns how many they were told of."""
    waiting = list(_waiting())
    told = set(Notice.objects.filter(key__in=[one.key for one in waiting]).values_list("key", flat=True))
    news = [one for one in waiting if one.key not in told]
    people = list(User.objects.filter(groups__name="Finance", is_active=True))
    for one in news if people else []:
        with transaction.atomic():
            for person in people:
                with reading_as(person):
                    title = one.title.format(what=one.row)
                tell([person], kind="finance", title=title, text="", url=one.url, key=one.key, at=clock.now())
    return len(news) if people else 0


def _waiting() -> Iterator[Waiting]:
    refunds = Refund.objects.waiting_for_staff().select_related("held").order_by("-pk")
    chargebacks = Chargeback.objects.waiting_for_staff().select_related("charge__held")
    withdrawals = Withdrawal.objects.waiting_for_finance().select_related("owner")
    return chain(
        (_of(refund, _("A refund was refused: {what}")) for refund in refunds[:BATCH]),
        (_of(chargeback, _("Who bears the rest of a chargeback: {what}")) for chargeback in chargebacks[:BATCH]),
        (_of(withdrawal, _("A withdrawal waits: {what}")) for withdrawal in withdrawals[:BATCH]),
    )


def _of(row: Refund | Chargeback | Withdrawal, title: StrOrPromise) -> Waiting:
    name = type(row).__name__.lower()
    return Waiting(f"finance:{name}:{row.pk}", title, row, reverse(f"admin:payments_{name}_change", args=[row.pk]))
