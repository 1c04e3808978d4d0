"""What the database itself refuses, whoever writes to it (O1, O4, O5, I9)."""

import re
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from orders import services
from orders.guards import why_not
from orders.models import Delivery, Event, Milestone, OfferRequest, Order, Pause, Reminder
from orders.models.order import ALPHABET, new_number, next_reminder
from orders.tests.factories import (
    NOON,
    after,
    current,
    freeze,
    make_accepted,
    make_delivered,
    make_offer,
    make_placed,
)


def database_refuses(name: str, write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        write()


@pytest.mark.django_db(transaction=True)
def test_a_second_current_milestone_is_refused() -> None:
    order = make_placed()
    second = Milestone.objects.filter(order=order, position=2)
    database_refuses("one_current_milestone", lambda: second.update(status="awaiting_payment"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", ["in_progress", "delivered", "in_revision", "completed", "canceled"])
def test_no_milestone_works_or_ends_without_money(status: str) -> None:
    order = make_offer()
    first = Milestone.objects.filter(order=order, position=1)
    database_refuses("milestone_works_only_when_funded", lambda: first.update(status=status))
    database_refuses("milestone_works_only_when_funded", lambda: first.update(status=status, funded_at=NOON))
    database_refuses("milestone_works_only_when_funded", lambda: first.update(funded_at=NOON))


@pytest.mark.django_db(transaction=True)
def test_an_ended_order_has_no_deadline_no_pause_and_a_reason() -> None:
    order, active = make_accepted(), make_placed()
    services.stop(order, by=order.buyer)
    ended, running = Order.objects.filter(pk=order.pk), Order.objects.filter(pk=active.pk)
    database_refuses("order_ended_as_a_whole", lambda: ended.update(decide_by=NOON))
    database_refuses("order_ended_as_a_whole|order_frozen_only", lambda: ended.update(paused_at=NOON))
    database_refuses("order_ended_as_a_whole", lambda: ended.update(closed_because=""))
    database_refuses("order_ended_as_a_whole", lambda: ended.update(ended_at=None))
    database_refuses("order_ended_as_a_whole", lambda: ended.update(status="active"))
    database_refuses("order_ended_as_a_whole", lambda: running.update(status="completed"))
    database_refuses("order_ended_as_a_whole", lambda: running.update(closed_because="stopped"))


@pytest.mark.django_db(transaction=True)
def test_only_an_active_order_is_frozen_and_only_once_at_a_time() -> None:
    offer, order = make_offer(), freeze(make_delivered())
    database_refuses("order_frozen_only_while_active", lambda: Order.objects.filter(pk=offer.pk).update(paused_at=NOON))
    database_refuses(
        "one_pause_at_a_time", lambda: Pause.objects.create(order=order, case_number="RC-2", started_at=NOON)
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", [Event, Delivery])
def test_events_and_deliveries_are_never_changed_or_removed(table: type[Event | Delivery]) -> None:
    make_delivered()
    name = table._meta.db_table
    row = table._default_manager.latest("pk")
    same = table._default_manager.filter(pk=row.pk)
    database_refuses(f"{name} is append-only: UPDATE is refused", lambda: same.update(id=F("id")))
    database_refuses(f"{name} is append-only: DELETE is refused", lambda: same._raw_delete("default"))
    database_refuses(f"{name} is append-only: TRUNCATE is refused", lambda: truncate(name))
    assert same.exists()


def truncate(name: str) -> None:
    """The suite itself empties tables this way and switches the trigger off; here it is on."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER refuse_truncate")
        cursor.execute(f"TRUNCATE {name} CASCADE")


@pytest.mark.django_db(transaction=True)
def test_nobody_buys_from_themselves() -> None:
    order = make_offer()
    database_refuses(
        "order_buyer_is_not_seller", lambda: Order.objects.filter(pk=order.pk).update(buyer=order.seller_id)
    )
    database_refuses(
        "request_buyer_is_not_seller",
        lambda: OfferRequest.objects.create(buyer=order.buyer, seller=order.buyer, text="Me", asked_at=NOON),
    )


@pytest.mark.django_db(transaction=True)
def test_revisions_are_neither_negative_nor_more_than_there_are() -> None:
    order = make_delivered()
    first = Milestone.objects.filter(order=order, position=1)
    database_refuses("revisions_used", lambda: first.update(revisions_used=-1))
    database_refuses("revisions_granted", lambda: first.update(revisions_granted=-1))
    database_refuses("milestone_revisions_are_left", lambda: first.update(revisions_used=2))
    unlimited = Milestone.objects.filter(order=order, position=3)
    assert unlimited.update(revisions_used=50) == 1
    assert unlimited.update(revisions_used=0) == 1


@pytest.mark.django_db(transaction=True)
def test_prices_are_positive_and_positions_and_numbers_unique() -> None:
    order = make_delivered()
    second = Milestone.objects.filter(order=order, position=2)
    database_refuses("milestone_price_is_positive", lambda: second.update(price=0))
    database_refuses("milestone_position", lambda: second.update(position=1))
    database_refuses(
        "delivery_number",
        lambda: Delivery.objects.create(
            milestone=current(order), number=1, message="x", delivered_by=order.seller, delivered_at=NOON
        ),
    )
    twice = [Reminder(order=order, deadline=NOON, due_at=NOON, sent_at=NOON) for _ in range(2)]
    database_refuses("one_reminder_per_deadline", lambda: Reminder.objects.bulk_create(twice))


@pytest.mark.django_db(transaction=True)
def test_what_an_order_needs_is_not_deleted() -> None:
    order = make_delivered()
    for row in (order.buyer, order.terms, order, current(order), current(order).held):
        with pytest.raises(IntegrityError), transaction.atomic():
            type(row)._default_manager.filter(pk=row.pk)._raw_delete("default")


def test_a_number_can_be_read_out_and_not_be_guessed() -> None:
    numbers = {new_number() for _ in range(500)}
    assert len(numbers) == 500
    pattern = re.compile(f"MP(-[{ALPHABET}]{{4}}){{3}}")
    assert all(pattern.fullmatch(number) for number in numbers)
    assert not set("01ILOU") & set(ALPHABET)


def test_the_next_reminder_is_later_than_now_and_not_before_the_window() -> None:
    assert next_reminder(NOON, after(days=8), NOON) == after(days=6)
    assert next_reminder(NOON, after(days=8), after(days=6)) == after(days=7, hours=12)
    assert next_reminder(NOON, after(days=8), after(days=7, hours=12)) is None
    assert next_reminder(NOON, after(hours=47), NOON) == after(hours=35)
    assert next_reminder(NOON, after(hours=12), NOON) is None


def test_nobody_moves_a_status_but_the_transitions() -> None:
    """Every transition of the published machine is there, and no other (rules, section 3)."""

    def moves(field: object) -> set[tuple[str, str]]:
        found = set()
        for one in field.get_all_transitions(field.model):
            target = getattr(one.target, "allowed_states", None) or [one.target]
            found |= {(str(one.source), str(state)) for state in target if state}
        return found

    assert moves(Order._meta.get_field("status")) == {
        ("offered", "awaiting_payment"),
        ("offered", "canceled"),
        ("awaiting_payment", "active"),
        ("awaiting_payment", "canceled"),
        ("active", "completed"),
        ("active", "canceled"),
        # The one place where an order ends computes which; with nothing completed it can only be canceled.
        ("offered", "completed"),
        ("awaiting_payment", "completed"),
    }
    assert moves(Milestone._meta.get_field("status")) == {
        ("planned", "awaiting_payment"),
        ("planned", "not_started"),
        ("awaiting_payment", "in_progress"),
        ("awaiting_payment", "not_started"),
        ("in_progress", "delivered"),
        ("in_progress", "canceled"),
        ("in_progress", "completed"),
        ("delivered", "delivered"),
        ("delivered", "in_revision"),
        ("delivered", "completed"),
        ("delivered", "canceled"),
        ("in_revision", "delivered"),
        ("in_revision", "completed"),
        ("in_revision", "canceled"),
    }
    assert why_not(Order(status="offered").withdraw) is None
