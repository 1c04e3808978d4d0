"""What is left to do, and whether everything that was said is true: asked of the tables, when all is healed."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from marketplace import clock
from marketplace.chaos.notebook import Notebook, Tally
from marketplace.notifications.models import Notice
from marketplace.proof import prove
from orders.models import Delivery, Event, Message, Order
from payments.models import (
    Charge,
    Chargeback,
    Refund,
    SandboxCharge,
    SandboxDispute,
    SandboxEvent,
    SandboxPayout,
    Transfer,
    Withdrawal,
)
from payments.money import plain
from resolution.models import Case

Counted = Counter[str]


def left(*, patient: bool = True) -> dict[str, int]:
    """What the clock still has to do, and what nobody has recorded yet. `patient` counts letters, too, that a worker
    took and did not send: another takes them up after minutes.
    """
    now = clock.now()
    unsent = Notice.objects.filter(emailed_at=None, next_attempt_at__isnull=False)
    undecided = Charge.objects.filter(status__in=["created", "asking", "processing", "action_needed"])
    known = SandboxCharge.objects.exclude(status__in=["processing", "action_needed"]).values("key")
    counts = {
        "orders that are due": Order.objects.filter(ended_at=None, paused_at=None, decide_by__lte=now).count(),
        "cases that are due": Case.objects.filter(status="open", answer_by__lte=now).count(),
        "charges that the provider has decided": undecided.filter(key__in=known).count(),
        "charges that nobody asks about": undecided.filter(status__in=["created", "asking"]).count(),
        "refunds under way": Refund.objects.filter(status__in=["created", "asking"]).count(),
        "withdrawals under way": Withdrawal.objects.filter(status__in=Withdrawal.UNSETTLED).count(),
        "payouts that the bank goes on with": SandboxPayout.objects.exclude(settles_at=None).count(),
        "chargebacks open": Chargeback.objects.filter(status="open").count(),
        "events of the provider": SandboxEvent.objects.filter(delivered_at=None).count(),
        "letters unsent": (unsent if patient else unsent.filter(next_attempt_at__lte=now)).count(),
    }
    return {what: count for what, count in counts.items() if count}


def untrue(notebook: Notebook) -> list[str]:
    """Each promise of an answer that does not hold: acknowledged and not there, refused and done, done twice."""
    found = []
    for act, tallies in sorted(notebook.acts.items()):
        counted = COUNT[act](tallies)
        for what, tally in tallies.items():
            least, most = _allowed(act, tally)
            if not least <= counted[what] <= most:
                found.append(
                    f"{act} {what}: acknowledged {tally.acknowledged} times, undecided {tally.undecided}, "
                    f"refused {tally.refused}; there are {counted[what]}"
                )
    return found


def contradictions() -> list[str]:
    """What the provider's book says of payouts and disputes, and ours does not, or the other way round."""
    found = []
    ours: dict[str, tuple[str, int]] = {
        key: (status, amount)
        for key, status, amount in Withdrawal.objects.values_list("key", "status", "amount")
        if status in ("paid", "failed")
    }
    words = {"succeeded": "paid"}
    payouts = SandboxPayout.objects.values_list("key", "status", "amount")
    found += _differences("payout", ours, {key: (words.get(of, of), amount) for key, of, amount in payouts})
    known = Chargeback.objects.values_list("provider_id", "status", "amount")
    ours = {key: (status, amount) for key, status, amount in known}
    words = {"taken": "open"}
    disputes = SandboxDispute.objects.values_list("pk", "status", "amount")
    found += _differences("dispute", ours, {str(pk): (words.get(of, of), amount) for pk, of, amount in disputes})
    return found


def _differences(what: str, ours: dict[str, tuple[str, int]], theirs: dict[str, tuple[str, int]]) -> list[str]:
    return [
        f"{what} {key}: we say {ours.get(key)}, the provider says {theirs.get(key)}"
        for key in sorted({*ours, *theirs})
        if ours.get(key) != theirs.get(key)
    ]


def broken_promises(at: datetime) -> list[str]:
    return [str(result) for result in prove(at) if not result.holds]


def _allowed(act: str, tally: Tally) -> tuple[int, int]:
    """How often it may have happened: whatever is done once is there once, however often it was asked for."""
    most = tally.acknowledged + tally.undecided
    if act in REPEATED:
        return tally.acknowledged, most
    if act == "start":
        most = 1  # accepting and continuing may have started it
    return min(1, tally.acknowledged), min(1, most)


def _texts(query: Callable[[Iterable[str]], Iterable[str]]) -> Callable[[Iterable[str]], Counted]:
    return lambda texts: Counter(query(list(texts)))


def _events(kind: str, name: str) -> Callable[[Iterable[str]], Counted]:
    """Of a person, not of the clock; by the milestone's or the order's number."""

    def count(whats: Iterable[str]) -> Counted:
        rows = Event.objects.filter(kind=kind, actor__isnull=False, **{f"{name}__in": list(whats)})
        return Counter(str(what) for what in rows.values_list(name, flat=True))

    return count


def _ended(because: str) -> Callable[[Iterable[str]], Counted]:
    def count(numbers: Iterable[str]) -> Counted:
        ends = Event.objects.filter(kind="ended", reason=because, order__number__in=list(numbers))
        return Counter(ends.values_list("order__number", flat=True))

    return count


def _of_case(kind: str) -> Callable[[Iterable[str]], Counted]:
    """Its events name the case."""

    def count(numbers: Iterable[str]) -> Counted:
        rows = Event.objects.filter(kind=kind, actor__isnull=False, data__case__in=list(numbers))
        return Counter(rows.values_list("data__case", flat=True))

    return count


def _attempts(milestones: Iterable[str]) -> Counted:
    """Attempts to pay after the first, which placing and starting make."""
    charges = Charge.objects.filter(held__milestone__in=list(milestones), attempt__gt=1)
    return Counter(str(milestone) for milestone in charges.values_list("held__milestone", flat=True))


def _withdrawn(whats: Iterable[str]) -> Counted:
    """By who asked, and for how much: nobody asks for the same amount twice."""
    rows = Withdrawal.objects.values_list("owner__email", "amount")
    return Counter(f"{email} {plain(amount, 'USD')}" for email, amount in rows)


def _of_withdrawal(*statuses: str, **more: object) -> Callable[[Iterable[str]], Counted]:
    def count(pks: Iterable[str]) -> Counted:
        rows = Withdrawal.objects.filter(pk__in=list(pks), status__in=statuses, **more)
        return Counter(str(pk) for pk in rows.values_list("pk", flat=True))

    return count


def _of_dispute(name: str, **status: str) -> Callable[[Iterable[str]], Counted]:
    """Booked by us: the provider's own book is no proof that it was told."""

    def count(whats: Iterable[str]) -> Counted:
        rows = Chargeback.objects.filter(**{f"{name}__in": list(whats)}, **status)
        return Counter(rows.values_list(name, flat=True))

    return count


def _decided_rests(pks: Iterable[str]) -> Counted:
    rows = Chargeback.objects.filter(pk__in=list(pks), rest_decided_at__isnull=False)
    return Counter(str(pk) for pk in rows.values_list("pk", flat=True))


def _paid_debts(emails: Iterable[str]) -> Counted:
    paid = Transfer.objects.filter(kind=Transfer.Kind.DEBT_PAID, destination__owner__email__in=list(emails))
    return Counter(paid.values_list("destination__owner__email", flat=True))


REPEATED = ("pay", "grant", "abandon", "pay debt")
COUNT: dict[str, Callable[[Iterable[str]], Counted]] = {
    "order": _texts(lambda texts: Order.objects.filter(brief__in=texts).values_list("brief", flat=True)),
    "offer": _texts(lambda texts: Order.objects.filter(brief__in=texts).values_list("brief", flat=True)),
    "message": _texts(lambda texts: Message.objects.filter(text__in=texts).values_list("text", flat=True)),
    "deliver": _texts(lambda texts: Delivery.objects.filter(message__in=texts).values_list("message", flat=True)),
    "revise": _texts(
        lambda texts: Event.objects.filter(kind="revision_requested", note__in=texts).values_list("note", flat=True)
    ),
    "open case": _texts(lambda texts: Case.objects.filter(statement__in=texts).values_list("statement", flat=True)),
    "place": _events("placed", "order__number"),
    "start": _events("started", "milestone"),
    "accept": _events("accepted", "milestone"),
    "grant": _events("revisions_granted", "milestone"),
    "abandon": _events("payment_abandoned", "milestone"),
    "pay": _attempts,
    "stop": _ended("stopped"),
    "decline": _ended("declined"),
    "withdraw": _ended("withdrawn"),
    "accept case": _of_case("case_accepted"),
    "decline case": _of_case("case_declined"),
    "withdraw case": _of_case("case_withdrawn"),
    "escalate case": _of_case("case_escalated"),
    "withdraw earnings": _withdrawn,
    "call off": _of_withdrawal("canceled"),
    "approve withdrawal": _of_withdrawal("approved", "sending", "sent", "paid", "failed", decided_by__isnull=False),
    "reject withdrawal": _of_withdrawal("rejected"),
    "pay debt": _paid_debts,
    "dispute": _of_dispute("charge__provider_id"),
    "dispute won": _of_dispute("provider_id", status="won"),
    "dispute lost": _of_dispute("provider_id", status="lost"),
    "decide rest": _decided_rests,
}
