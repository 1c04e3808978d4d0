"""Events are never changed, so those of an earlier version are told as they were kept: in words."""

from typing import Any

import pytest

from orders.activity import sentence
from orders.models import Event
from orders.tests.factories import make_offer

Kind = Event.Kind


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "kept", "told"),
    [
        (Kind.DELIVERY_EXTENDED, {"data": {"extension": "3 days"}}, "“Script” has 3 days more"),
        (
            Kind.REVISIONS_GRANTED,
            {"data": {"count": "1 revision"}},
            "Theo Lindqvist granted 1 revision extra for “Script”",
        ),
        (
            Kind.PLAN_CHANGED,
            {"data": {"changes": "“Storyboard” is dropped"}},
            "The upcoming milestones changed: “Storyboard” is dropped",
        ),
        (Kind.CHARGEBACK_BORNE, {"reason": "the seller owes $80.00", "data": {}}, "the seller owes $80.00"),
    ],
)
def test_an_event_kept_in_words_is_told_in_those(kind: Kind, kept: dict[str, Any], told: str) -> None:
    order = make_offer()
    event = Event(order=order, kind=kind, actor=order.seller, milestone=order.plan[0], **kept)
    assert sentence(event, order, order.buyer).endswith(told)
