"""The checker can fail: each promise, broken on purpose behind the application's back, is noticed."""

import pytest
from django.db import connection, transaction

from marketplace import clock
from marketplace.accounts.tests.factories import UserFactory
from marketplace.proof import prove
from marketplace.proof.proving import ALIVE
from marketplace.reviews.tests.factories import make_gig, make_reviewed
from marketplace.tests import invariants
from orders.models import Order
from orders.tests.factories import (
    NOON,
    after,
    cancel_milestone,
    freeze,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_offer,
    make_ordered,
    start_next,
)
from payments.gateways import sandbox_disputes
from payments.models import Charge, SandboxCharge, Transfer
from payments.services import issue_documents
from payments.tasks import deliver_sandbox_events
from payments.tests.steps import ask_for, connect

pytestmark = pytest.mark.breaks_promises

PAST_THE_TABLES = "SET LOCAL session_replication_role = replica"
# What is done to the tables, and the promises that this breaks. {…} is the id of an order.
BROKEN_BY = {
    "UPDATE orders_order SET decide_by = decide_by + interval '1 second' WHERE id = {delivered}": ["I13"],
    "UPDATE orders_order SET decide_by = decide_by - interval '1 hour' WHERE id = {offered}": ["I13"],
    "UPDATE orders_milestone SET deliver_by = deliver_by + interval '1 hour' WHERE order_id = {working}": ["I13"],
    "UPDATE orders_milestone SET deliver_by = deliver_by - interval '1 hour' WHERE order_id = {revised}": ["I13"],
    "UPDATE orders_pause SET ended_at = started_at WHERE order_id = {frozen}": ["I13"],
    "UPDATE orders_order SET decide_by = NULL WHERE id = {delivered}": ["I12"],
    "UPDATE orders_milestone SET revisions_used = 1 WHERE order_id = {delivered} AND position = 1": ["I14"],
    "UPDATE orders_milestone SET status = 'in_progress' WHERE order_id = {frozen} AND position = 1": ["I12", "I16"],
    "UPDATE orders_milestone SET status = 'canceled' WHERE order_id = {delivered} AND position = 1": [
        "I3",
        "I12",
        "I16",
    ],
    "UPDATE orders_milestone SET ended_at = ended_at + interval '1 day' WHERE order_id = {working}": ["I11"],
    "UPDATE orders_order SET version = 1 WHERE id = {delivered}": ["I16"],
    "SELECT 'nothing is broken'": [],
    "INSERT INTO orders_event (order_id, kind, from_status, to_status, reason, note, data, version, at, recorded_at) "
    "VALUES ({delivered}, 'ended', 'active', 'completed', 'lapsed', '', '{{}}', 1, now(), now())": ["I16"],
    "ALTER TABLE orders_event DISABLE TRIGGER refuse_change": ["I9"],
    # Past what refuses it in the tables, as who restores a copy could.
    f"{PAST_THE_TABLES}; UPDATE payments_transfer SET currency = 'EUR' WHERE kind = 'fee'": ["I1"],
    f"{PAST_THE_TABLES}; ALTER TABLE payments_transfer DROP CONSTRAINT transfer_moves_something; "
    "UPDATE payments_transfer SET amount = -amount WHERE kind = 'fee'": ["I1", "I3", "I8", "I10", "I11"],
    f"{PAST_THE_TABLES}; DELETE FROM payments_account WHERE id = {{fees_account}}": ["I2", "I3", "I10", "I11"],
    f"{PAST_THE_TABLES}; UPDATE payments_transfer SET destination_id = "
    "(SELECT id FROM payments_account WHERE code = 'clearing' AND currency = 'USD') WHERE kind = 'fee'": ["I4"],
    "UPDATE payments_heldfunds SET refunded = 1 WHERE id = {held}": ["I6", "I10"],
    "UPDATE payments_heldfunds SET buyer_fee = buyer_fee + 1 WHERE amount = 0": ["I6"],
    "UPDATE payments_charge SET funded = false WHERE held_id = {held}": ["I5"],
    "UPDATE payments_sandboxcharge SET amount = amount + 1 WHERE status = 'succeeded'": ["I7"],
    "UPDATE payments_sandboxcharge SET status = 'failed' WHERE status = 'succeeded' AND refunded = 0": ["I7"],
    "INSERT INTO payments_sandboxcharge (id, key, amount, currency, method, description, reference, return_url, "
    "status, reason, refunded, created_at) "
    "VALUES (gen_random_uuid(), 'unknown', 5, 'USD', '', '', '', '', 'succeeded', '', 0, now())": ["I7"],
    "UPDATE payments_refund SET status = 'asking'": ["I7"],
    "INSERT INTO payments_transfer (source_id, destination_id, amount, currency, kind, held_id, created_at) "
    "VALUES ({held_account}, {fees_account}, 1, 'USD', 'fee', {held}, now())": ["I3", "I10"],
    "INSERT INTO payments_transfer (source_id, destination_id, amount, currency, kind, created_at) "
    "VALUES ({fees_account}, {held_account}, 999999, 'USD', 'fee', now())": ["I8"],
    "UPDATE payments_heldfunds SET cleared_at = NULL WHERE released > 0": ["M6"],
    "UPDATE payments_withdrawal SET status = 'paid', settled_at = now() WHERE status = 'requested'": ["I7"],
    "UPDATE payments_withdrawal SET amount = amount + 1": ["I7", "I18"],
    "UPDATE payments_chargeback SET amount = amount - 1": ["I7"],
    "UPDATE payments_chargeback SET status = 'won', settled_at = now()": ["I7"],
    "UPDATE payments_refund SET credit = 1": ["I7"],
    "UPDATE payments_charge SET credit = 1 WHERE held_id = {held}": ["I7"],
    "UPDATE payments_charge SET documented = false": ["M11"],
    "ALTER TABLE payments_document DISABLE TRIGGER refuse_change; DELETE FROM payments_document WHERE number = 1": [
        "I9",
        "M11",
    ],
    "INSERT INTO notifications_notice (recipient_id, kind, own_title, own_text, url, key, created_at, attempts) "
    "SELECT actor_id, 'x', 'x', '', '/', 'event:' || id, now(), 0 FROM orders_event WHERE kind = 'delivered' LIMIT 1": [
        "I17"
    ],
    "UPDATE accounts_user SET rating_sum = rating_sum + 1 WHERE rating_count = 1": ["O18"],
    "UPDATE catalog_gig SET rating_count = 0 WHERE rating_count = 1": ["O18"],
    "UPDATE reviews_review SET hidden_at = counted_at, hidden_by_id = subject_id, hidden_because = 'x'": ["O18"],
    "UPDATE reviews_review SET written_at = written_at - interval '1 hour'": ["O18"],
    "UPDATE reviews_review SET author_id = (SELECT min(id) FROM accounts_user) WHERE about = 'buyer'": ["O18"],
}


# What is forgotten, and the promise that says so once every sweep has had its time.
FORGOTTEN = {
    "UPDATE orders_order SET decide_by = '2026-10-20 12:00Z' WHERE id = {delivered}": "I13 no order stays due",
    "UPDATE payments_charge SET status = 'asking', asked_at = '2026-10-20 12:00Z' WHERE NOT funded": (
        "I15 no attempt to pay is forgotten"
    ),
    "UPDATE payments_refund SET status = 'pending', next_try_at = '2026-10-20 12:00Z'": ("I15 no refund is forgotten"),
    "UPDATE payments_withdrawal SET status = 'sending', next_try_at = '2026-10-20 12:00Z'": (
        "I15 no withdrawal is forgotten"
    ),
    "UPDATE notifications_notice SET next_attempt_at = '2026-10-20 12:00Z'": "I15 no message stays unsent",
}


def pays_out_and_is_charged_back(order: Order) -> None:
    """Another order of the same seller was accepted, its earnings are being withdrawn, and a payment is disputed."""
    accepted = make_accepted(seller=order.seller)
    connect(order.seller, at=NOON)
    ask_for(order.seller, 5_000, at=NOON)
    charge = Charge.objects.get(held=accepted.milestones.get(position=1).held_id)
    dispute = sandbox_disputes.take_back(SandboxCharge.objects.get(key=charge.key).pk, at=NOON)
    deliver_sandbox_events()
    assert dispute.amount == charge.amount
    issue_documents(at=NOON)


@pytest.mark.django_db(transaction=True)
def test_every_promise_that_is_broken_is_noticed() -> None:
    with clock.at(NOON):
        delivered, offered, revised, frozen = make_delivered(), make_offer(), make_in_revision(), make_delivered()
        working = make_accepted()
        start_next(working)
        freeze(frozen)
        make_ordered(method="card_declined", buyer=UserFactory())
        cancel_milestone(make_delivered())
        pays_out_and_is_charged_back(delivered)
        make_reviewed(make_gig(), 5)
    assert invariants.check() == []

    named = {"delivered": delivered, "offered": offered, "revised": revised, "frozen": frozen, "working": working}
    ids = {name: order.pk for name, order in named.items()}
    ids["held"] = Order.objects.get(pk=delivered.pk).milestones.get(position=1).held_id
    fee = Transfer.objects.filter(kind="fee").latest("pk")
    ids["held_account"], ids["fees_account"] = fee.source_id, fee.destination_id
    found = {}
    for statement in BROKEN_BY:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(**ids))
            noticed = {line.split()[0] for line in invariants.check()}
            transaction.set_rollback(True)
        found[statement] = sorted(noticed, key=lambda name: int(name[1:]))
    assert found == BROKEN_BY
    assert invariants.check() == []

    forgotten = {}
    for statement in FORGOTTEN:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE notifications_notice SET next_attempt_at = NULL")
            before = late()
            cursor.execute(statement.format(**ids))
            forgotten[statement] = [says for says in late() if says not in before]
            transaction.set_rollback(True)
    assert forgotten == {statement: [says] for statement, says in FORGOTTEN.items()}


def late() -> list[str]:
    """What production's own proof finds late two hours later."""
    return [result.says for result in prove(after(hours=2), ALIVE) if not result.holds]
