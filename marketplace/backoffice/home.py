"""The home of admin: what waits for support and finance now, and the last 30 days.

Every figure counts by the very condition of the filter that its link sets, so that the list shows those rows and no
others. What is open is counted by partial indexes, a day or a month by indexes of time; the number of queries depends
on nothing but what the person may see.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.core.cache import cache
from django.db.models import Count, F, Q, Sum
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from marketplace.accounts import figures as written
from marketplace.accounts.instants import when
from marketplace.accounts.models import User
from marketplace.health import LAST_SWEEP, STALE
from marketplace.models import LedgerProof
from marketplace.notifications.models import Notice
from orders.admin import EndedTodayFilter, StuckFilter
from orders.models import Order
from payments.admin.chargebacks import RestWaitsFilter
from payments.admin.ledger import HoldingFilter
from payments.admin.operations import UndecidedForLongFilter, WaitsFilter
from payments.admin.withdrawals import InDoubtFilter
from payments.models import Charge, Chargeback, HeldFunds, Refund, Withdrawal
from payments.money import display
from resolution.admin import LATER, OVERDUE, TODAY, DueFilter
from resolution.models import Case

Tone = Literal["alarm", "waits", "calm"]


@dataclass(frozen=True)
class Figure:
    """One number, and the list that shows what it counts."""

    label: str
    value: str
    url: str
    tone: Tone = "calm"
    note: str = ""


@dataclass(frozen=True)
class Panel:
    """The figures of one subject."""

    name: str
    title: str
    figures: list[Figure] = field(default_factory=list)


def panels(user: User, now: datetime) -> list[Panel]:
    """What waits, by subject; only what the person may see in admin."""
    every = [
        Panel("cases", _("Cases"), list(_of_cases(user, now))),
        Panel("money", _("Money"), list(_of_money(user))),
        Panel("orders", _("Orders"), list(_of_orders(user))),
        Panel("machine", _("The machine"), list(_of_the_machine(user, now))),
    ]
    return [panel for panel in every if panel.figures]


def _of_cases(user: User, now: datetime) -> Iterator[Figure]:
    if not user.has_perm("resolution.view_case"):
        return
    due = {name: Count("pk", filter=condition) for name, condition in DueFilter.conditions().items()}
    waiting = Case.objects.for_support().order_by().aggregate(**due)
    yield _count(_("Overdue at support"), waiting[OVERDUE], "resolution_case", f"due={OVERDUE}", "alarm")
    yield _count(_("Due today"), waiting[TODAY], "resolution_case", f"due={TODAY}", "waits")
    yield _count(_("Due later"), waiting[LATER], "resolution_case", f"due={LATER}")
    unanswered = Case.objects.filter(status=Case.Status.OPEN).count()
    yield _count(_("Wait for the other side"), unanswered, "resolution_case", f"status={Case.Status.OPEN}")


def _of_money(user: User) -> Iterator[Figure]:
    """What finance acts on first, then what is held."""
    if user.has_perm("payments.view_refund"):
        refused = Refund.objects.filter(WaitsFilter.condition()).count()
        yield _count(_("Refused refunds"), refused, "payments_refund", "waits=yes", "alarm")
    if user.has_perm("payments.view_withdrawal"):
        requested = Withdrawal.objects.waiting_for_finance().count()
        status = f"status__exact={Withdrawal.Status.REQUESTED}"
        yield _count(_("Withdrawals to decide"), requested, "payments_withdrawal", status, "waits")
        doubtful = Withdrawal.objects.filter(InDoubtFilter.condition()).count()
        yield _count(_("Withdrawals in doubt"), doubtful, "payments_withdrawal", "in_doubt=yes", "alarm")
    if user.has_perm("payments.view_chargeback"):
        at_banks = Chargeback.objects.undecided().count()
        yield _count(
            _("Chargebacks at banks"),
            at_banks,
            "payments_chargeback",
            f"status__exact={Chargeback.Status.OPEN}",
            "waits",
        )
        rests = Chargeback.objects.filter(RestWaitsFilter.condition()).count()
        yield _count(_("Lost chargebacks to decide"), rests, "payments_chargeback", "rest_waits=yes", "alarm")
    if user.has_perm("payments.view_charge"):
        long = Charge.objects.filter(UndecidedForLongFilter.condition()).count()
        label = _("Payments undecided for over a day")
        yield _count(label, long, "payments_charge", "undecided_for_long=yes", "waits")
    if user.has_perm("payments.view_heldfunds"):
        yield from _held()


def _held() -> Iterator[Figure]:
    left = F("amount") - F("refunded") - F("released") - F("charged_back")
    holding = HeldFunds.objects.filter(HoldingFilter.condition()).order_by("currency").values("currency")
    for row in holding.annotate(total=Sum(left), milestones=Count("pk")):
        yield Figure(
            label=_("Held funds, {currency}").format(currency=row["currency"]),
            value=display(row["total"], row["currency"]),
            url=_list("payments_heldfunds", f"holding=yes&currency={row['currency']}"),
            note=_("milestones: {number}").format(number=written.whole(row["milestones"])),
        )


def _of_orders(user: User) -> Iterator[Figure]:
    if not user.has_perm("orders.view_order"):
        return
    lapsed, completed = Q(closed_because=Order.ClosedBecause.LAPSED), Q(status=Order.Status.COMPLETED)
    ended = Order.objects.filter(EndedTodayFilter.condition()).aggregate(
        completed=Count("pk", filter=completed), lapsed=Count("pk", filter=lapsed)
    )
    today = "ended_today=yes"
    by_lapse = f"{today}&closed_because__exact={Order.ClosedBecause.LAPSED}"
    stuck = Order.objects.filter(StuckFilter.condition()).count()
    yield _count(_("Stuck: the clock failed there"), stuck, "orders_order", "stuck=yes", "alarm")
    yield _count(
        _("Completed today"), ended["completed"], "orders_order", f"{today}&status__exact={Order.Status.COMPLETED}"
    )
    yield _count(_("Of these lapsed"), ended["lapsed"], "orders_order", by_lapse)


def _of_the_machine(user: User, now: datetime) -> Iterator[Figure]:
    if user.has_perm("marketplace.view_ledgerproof"):
        yield _last_proof()
    if user.has_perm("notifications.view_notice"):
        unsent = Notice.objects.filter(emailed_at=None, next_attempt_at__isnull=False).count()
        yield _count(
            _("E-mails not sent yet"),
            unsent,
            "notifications_notice",
            "emailed_at__isempty=1&next_attempt_at__isempty=0",
        )
    yield _heartbeat(now)


def _last_proof() -> Figure:
    proof = LedgerProof.objects.first()
    label, to_all = _("Last proof of the ledger"), _list("marketplace_ledgerproof")
    if proof is None:
        note = _("The clock proves it every night, and the list has a button.")
        return Figure(label, _("Not proven yet"), to_all, "waits", note)
    to_it = reverse("admin:marketplace_ledgerproof_change", args=[proof.pk])
    return Figure(label, str(proof), to_it, "calm" if proof.holds else "alarm", when(proof.proved_at))


def _heartbeat(now: datetime) -> Figure:
    """What `/readyz` says of beat and worker. Without Redis nobody knows: a page must not fail for that."""
    swept = parse_datetime(cache.get(LAST_SWEEP) or "")
    label, address = _("The clock"), reverse("readyz")
    if swept is None:
        return Figure(label, _("No sign of it"), address, "alarm", _("Neither beat nor a worker was seen this hour."))
    late = now - swept >= STALE
    value = _("Late") if late else _("Running")
    return Figure(label, value, address, "alarm" if late else "calm", _("seen {when}").format(when=when(swept)))


def _count(label: str, number: int, rows: str, query: str, tone: Tone = "calm") -> Figure:
    """Nothing waiting is calm, whatever it would be otherwise."""
    return Figure(label, written.whole(number), _list(rows, query), tone if number else "calm")


def _list(rows: str, query: str = "") -> str:
    """The address of admin's list of `rows`, such as "payments_refund"."""
    address = reverse(f"admin:{rows}_changelist")
    return f"{address}?{query}" if query else address
