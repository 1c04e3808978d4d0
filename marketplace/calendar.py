"""Deadlines as calendars (P5): a private feed of all that waits for a person, and one order to download."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import icalendar
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.reader import reading_as
from marketplace.accounts.requests import SignedInRequest
from marketplace.notifications.models import CalendarFeed
from marketplace.order_headline import headline
from orders.models import Milestone, Order
from orders.views.acting import order_of
from payments.models import Charge
from resolution.actions import on_rows_of
from resolution.models import Case
from resolution.words import if_nobody_acts

ALARM = timedelta(hours=12)
REFRESH = timedelta(hours=1)


@dataclass(frozen=True)
class Due:
    """A deadline of an order: `uid` stays the same while it moves, `version` rises with each change of the order."""

    uid: str
    version: int
    at: datetime
    title: str
    text: str
    url: str
    mine: bool


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Every deadline that waits for the person whose address this is; no sign-in, the address is the secret."""
    found = get_object_or_404(CalendarFeed.objects.select_related("owner"), token=token, owner__is_active=True)
    with reading_as(found.owner):
        return _answer(_calendar(dues_of(found.owner, clock.now()), settings.SITE_NAME))


@login_required
@require_safe
def order_calendar(request: SignedInRequest, number: str) -> HttpResponse:
    """The deadlines of one order, whoever they wait for, to download; 404 when it has none."""
    order = order_of(request, number)
    found = list(_dues(order, list(order.cases.filter(status=Case.Status.OPEN)), request.user, clock.now()))
    if not found:
        raise Http404
    answer = _answer(_calendar(found, order.title))
    answer["Content-Disposition"] = f'attachment; filename="{order.number}.ics"'
    return answer


def dues_of(user: User, now: datetime) -> list[Due]:
    """What waits for `user`, the most urgent first: offers, payments, reviews, deliveries, answers to cases."""
    orders = Order.objects.of(user).exclude(status__in=Order.ENDED).whole().prefetch_related("milestones__deliveries")
    cases: dict[int, list[Case]] = {}
    for case in Case.objects.of(user).filter(status=Case.Status.OPEN).select_related("reason"):
        cases.setdefault(case.order_id, []).append(case)
    found = [due for order in orders for due in _dues(order, cases.get(order.pk, []), user, now) if due.mine]
    return sorted(found, key=lambda due: due.at)


def _dues(order: Order, cases: Iterable[Case], user: User, now: datetime) -> Iterator[Due]:
    """The deadlines of an order. A frozen order's clocks stand still; what is overdue waits for the clock alone."""
    if order.has_ended or order.is_overdue(now):
        return
    side = order.side_of(user)
    if not order.paused_at and not _bank_is_deciding(order.current):
        said = headline(order, side, now)
        milestone = order.current
        waits_for = milestone.waits_for if milestone else "buyer"
        if said.until:
            state = f"{milestone.position}-{milestone.status}" if milestone else order.status
            text = _("If nobody acts, {outcome}").format(outcome=said.if_nobody_acts) if said.if_nobody_acts else ""
            yield _due(order, state, said.until, f"{said.title}", f"{said.text}\n{text}", order, waits_for == side)
    for case in cases:
        on_rows_of(order, case, now)
        stands_still = order.paused_at and not case.is_dispute
        if case.answer_by is None or stands_still or case.is_overdue(now) or case.void_since():
            continue
        mine = case.answering_side == side
        title = (_("Answer the case: {what}?") if mine else _("The case waits for an answer: {what}?")).format(
            what=case.what
        )
        yield _due(order, case.number, case.answer_by, title, if_nobody_acts(case), case, mine)


def _bank_is_deciding(milestone: Milestone | None) -> bool:
    """Nobody has to act until the bank has decided, unless it wants the buyer to confirm."""
    charge = milestone.undecided_charge if milestone and not milestone.is_open else None
    return charge is not None and charge.status != Charge.Status.ACTION_NEEDED


def _due(order: Order, state: str, at: datetime, title: str, text: str, about: Order | Case, mine: bool) -> Due:
    site = settings.SITE_URL.rstrip("/")
    return Due(
        uid=f"{order.number}-{state}@{urlsplit(site).hostname}",
        version=order.version,
        at=at,
        title=f"{title} – {order.title}",
        text=text.strip(),
        url=f"{site}{about.get_absolute_url()}",
        mine=mine,
    )


def _calendar(dues: Iterable[Due], name: str) -> icalendar.Calendar:
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//{settings.SITE_NAME}//Deadlines//{(get_language() or 'en').upper()}")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for due in dues:
        calendar.add_component(_event(due))
    return calendar


def _event(due: Due) -> icalendar.Event:
    """An instant, which keeps nobody's time busy; with an alarm for whom it waits for."""
    event = icalendar.Event()
    event.add("uid", due.uid)
    event.add("sequence", due.version)
    event.add("dtstamp", clock.now())
    event.add("dtstart", due.at)
    event.add("summary", due.title)
    if due.text:
        event.add("description", f"{due.text}\n{due.url}")
    event.add("url", due.url)
    event.add("transp", "TRANSPARENT")
    if due.mine:
        alarm = icalendar.Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", due.title)
        alarm.add("trigger", -ALARM)
        event.add_component(alarm)
    return event


def _answer(calendar: icalendar.Calendar) -> HttpResponse:
    answer = HttpResponse(calendar.to_ical(), content_type="text/calendar; charset=utf-8")
    answer["Cache-Control"] = "no-store, private"
    answer["X-Robots-Tag"] = "noindex"
    return answer
