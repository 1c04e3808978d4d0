"""The table of state × action × role of cases, asked in four places: guard, button, service and page."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from orders import services as orders
from orders.actions import Action
from orders.guards import Refused
from orders.models import Order
from orders.tests.factories import current, fresh, planned, start_next
from orders.tests.rows import rows
from resolution import services
from resolution.actions import OPENING, actions, case_actions
from resolution.models import Case
from resolution.sides import WHO
from resolution.tests.conftest import NOON, OrderIn, after
from resolution.tests.factories import (
    bank,
    cancel_milestone_by_support,
    cancel_order_by_support,
    declined,
    fresh_case,
    opened,
    reason,
    rule_cancel_milestone,
    rule_cancel_order,
)
from resolution.tests.table import (
    ACTIONS,
    ANSWERS,
    AT_ONCE,
    BECOMES,
    BUTTONS_ON_THE_ORDER,
    NEVER,
    NOT_DUE,
    OK,
    ONLY,
    ONLY_SUPPORT,
    OPENINGS,
    OWING,
    PARTY,
    ROLES,
    RULINGS,
    STATES,
    TABLE,
    WITHOUT_A_CASE,
    Answer,
    Owed,
)

pytestmark = pytest.mark.django_db

NOTE = "I looked at the files."
ONE_STEP = (planned("Logo", 10_000, 3, 2),)


def accepted(order: Order) -> Case:
    return services.accept_case(opened(order), by=order.seller)


def withdrawn(order: Order) -> Case:
    return services.withdraw_case(opened(order), by=order.buyer)


def escalated(order: Order) -> Case:
    return services.escalate_case(declined(order), by=order.buyer, text="Please look.")


def ruled(order: Order, verb: Callable[..., Case]) -> Case:
    return verb(opened(order), by=StaffFactory.create(), reason=reason("not_as_described"), note=NOTE)


def declined_and_paid(order: Order) -> Case:
    case = declined(order)
    orders.accept(current(order), by=order.buyer)
    return case


def two_withdrawn(order: Order) -> Case:
    withdrawn(order)
    return withdrawn(order)


def silent(order: Order) -> Case:
    case = opened(order)
    with clock.at(after(hours=48)):
        services.settle_case(case.pk)
    return case


def opened_by_the_clock(order: Order) -> Case:
    with clock.at(after(days=33)):
        services.open_owed_disputes()
    return order.cases.get()


def bank_took_it_back(order: Order) -> Case:
    bank(order, "taken")
    return order.cases.get()


def bank_took_back_what_is_disputed(order: Order) -> Case:
    case = opened(order)
    bank(order, "taken")
    return case


def declined_on_the_last_day(order: Order) -> Case:
    with clock.at(after(days=7)):
        return declined(order)


# Each state: the order's at noon, the case made of it, and how long after noon the cells are asked.
Made = tuple[str, Callable[[Order], Case] | None, timedelta]
AT_NOON = timedelta(0)
MADE: dict[str, Made] = {
    "no_case_in_progress": ("in_progress", None, AT_NOON),
    "no_case_delivered": ("delivered", None, AT_NOON),
    "no_case_between": ("between", None, AT_NOON),
    "no_case_very_late": ("in_progress", None, timedelta(days=4)),
    "no_case_awaiting_payment_undecided": ("between", None, AT_NOON),
    "open_by_buyer": ("delivered", opened, AT_NOON),
    "open_by_seller": ("in_progress", lambda order: opened(order, side="seller", kind="cancel_order"), AT_NOON),
    "declined": ("delivered", declined, AT_NOON),
    "declined_too_long_ago": ("in_progress", declined, timedelta(days=7)),
    "declined_milestone_ended": ("delivered", declined_and_paid, AT_NOON),
    "escalated": ("delivered", escalated, AT_NOON),
    "waiting_for_support_after_silence": ("delivered", silent, timedelta(hours=48)),
    "opened_by_the_clock": ("in_progress", opened_by_the_clock, timedelta(days=33)),
    "bank_is_deciding": ("delivered", bank_took_it_back, AT_NOON),
    "bank_is_deciding_about_a_case": ("delivered", bank_took_back_what_is_disputed, AT_NOON),
    "withdrawn": ("delivered", withdrawn, AT_NOON),
    "accepted": ("in_progress", accepted, AT_NOON),
    "ruled": ("delivered", lambda order: ruled(order, rule_cancel_milestone), AT_NOON),
    "dismissed": ("delivered", lambda order: ruled(order, services.dismiss_case), AT_NOON),
    "order_ended": ("delivered", declined_and_paid, AT_NOON),
    "two_disputes_used": ("in_progress", two_withdrawn, AT_NOON),
    "silence_due_agreed": ("in_progress", opened, timedelta(hours=48)),
    "silence_due_to_support": ("delivered", opened, timedelta(hours=48)),
    "declined_order_overdue": ("delivered", declined_on_the_last_day, timedelta(days=8)),
}

SERVICES: dict[str, Callable[..., Case]] = {
    "accept": lambda case, by: services.accept_case(case, by=by, text="Yes."),
    "decline": lambda case, by: services.decline_case(case, by=by, text="No."),
    "withdraw": lambda case, by: services.withdraw_case(case, by=by),
    "escalate": lambda case, by: services.escalate_case(case, by=by, text="Please look."),
}
BY_SUPPORT: dict[str, Callable[..., Case]] = {
    "rule_cancel_milestone": rule_cancel_milestone,
    "rule_cancel_order": rule_cancel_order,
    "dismiss": services.dismiss_case,
    "cancel_milestone_by_support": cancel_milestone_by_support,
    "cancel_order_by_support": cancel_order_by_support,
}
# The addresses as people meet them.
ADDRESSES = {
    "open_cancel_milestone": "/orders/{number}/cases/cancel-milestone/",
    "open_cancel_order": "/orders/{number}/cases/cancel-order/",
    "accept": "/cases/{case}/accept/",
    "decline": "/cases/{case}/decline/",
    "withdraw": "/cases/{case}/withdraw/",
    "escalate": "/cases/{case}/escalate/",
    "rule_cancel_milestone": "/admin/resolution/case/{case_id}/rule/cancel_milestone/",
    "rule_cancel_order": "/admin/resolution/case/{case_id}/rule/cancel_order/",
    "dismiss": "/admin/resolution/case/{case_id}/rule/dismiss/",
    "cancel_milestone_by_support": "/admin/orders/order/{order_id}/rule/cancel_milestone/",
    "cancel_order_by_support": "/admin/orders/order/{order_id}/rule/cancel_order/",
}


def dump() -> Any:
    """Every row that an act on a case could change."""
    return rows(), list(Case.objects.order_by("pk").values_list()), LogEntry.objects.count()


def tried(act: Callable[[], Any]) -> Any:
    """Do it for real, and undo it: what it returned, or the words it was refused with."""
    with transaction.atomic():
        try:
            return act()
        except Refused as refused:
            return str(refused.refusal)
        finally:
            transaction.set_rollback(True)


def text_of(page: Any) -> str:
    return unescape(page.content.decode())


class Cells:
    """One state of an order and its case, with somebody in every role."""

    def __init__(self, state: str, order: Order, case: Case | None) -> None:
        self.state = state
        self.order = fresh(order)
        self.case = case and fresh_case(case)
        self.milestone = self.order.current or self.order.plan[0]
        support = enlist(UserFactory.create(name="Sam Support"))
        self.people: dict[str, User] = {
            "buyer": order.buyer,
            "seller": order.seller,
            "stranger": UserFactory.create(),
            "support": support,
            "support_who_is_a_party": order.seller,
        }
        # One client with everybody's cookies: each would look for all static files anew.
        self.client = Client()
        self.cookies: dict[str, SimpleCookie] = {}
        for role, person in self.people.items():
            self.client.cookies = self.cookies[role] = SimpleCookie()
            self.client.force_login(person)
        self.pages: dict[str, str] = {}
        self.before = dump()

    def check(self) -> None:
        for index, role in enumerate(ROLES):
            if role == "support_who_is_a_party":
                self.client.cookies = self.cookies[role]
                self.client.force_login(enlist(self.order.seller))
            for name in ACTIONS:
                self.check_cell(f"{self.state} × {name} × {role}", name, role, TABLE[self.state][name][index])
            assert dump() == self.before, f"{self.state}: what was refused to the {role} changed something"
        self.check_what_is_offered()

    def check_cell(self, cell: str, name: str, role: str, answer: Answer) -> None:
        if name == "settle":
            assert (self.settled() if role == "clock" else NEVER) == answer, cell
        elif answer == NEVER:
            assert role == "clock" or (role == "support_who_is_a_party" and name in OPENINGS + ANSWERS), cell
        elif isinstance(answer, int):
            self.check_not_theirs(cell, name, role, answer)
        elif name in OPENINGS + ANSWERS:
            self.check_button(cell, name, role, answer)
        else:
            self.check_ruling(cell, name, role, answer)

    def settled(self) -> str:
        done = {tried(services.settle_due_cases) == 1}
        if self.case:
            case_id = self.case.pk
            done.add(tried(lambda: services.settle_case(case_id)))
        return {(True,): OK, (False,): NOT_DUE}[tuple(done)]

    def check_not_theirs(self, cell: str, name: str, role: str, status: int) -> None:
        page = self.post(role, name)
        assert page.status_code == status, cell
        if status == 302:
            assert page.headers["Location"].startswith("/admin/login/?"), cell
        if status != 403:
            return
        words = PARTY if role == "support_who_is_a_party" else self.not_the_side(name)
        assert words in text_of(page), f"{cell}: page"
        # What the clock owes comes first even here.
        run = tried if self.state in OWING else said
        assert run(lambda: self.act(name, role)) == words, f"{cell}: service"
        if role in ("buyer", "seller"):
            assert self.button(name, role).reason == words, f"{cell}: button"

    def not_the_side(self, name: str) -> str:
        buyer, seller, *_ = TABLE[self.state][name]
        if buyer == seller:
            return ONLY_SUPPORT
        return ONLY[name].format("seller" if buyer == 403 else "buyer")

    def check_button(self, cell: str, name: str, role: str, answer: Answer) -> None:
        on_page, on_act = answer if isinstance(answer, Owed) else (answer, answer)
        possible = on_page in (OK, AT_ONCE)
        button = self.button(name, role)
        assert (button.allowed, button.reason) == (possible, "" if possible else on_page), f"{cell}: button"
        page = self.page(name, role)
        assert possible or on_page in page, f"{cell}: page"

        self.check_act(cell, name, role, answer, on_act)

        posted = self.post(role, name, undo=possible or self.state in OWING)
        assert posted.status_code == (302 if possible else 409), f"{cell}: post"
        if not possible and not isinstance(answer, Owed):
            assert on_page in text_of(posted), f"{cell}: post"

    def check_ruling(self, cell: str, name: str, role: str, answer: Answer) -> None:
        on_page, on_act = answer if isinstance(answer, Owed) else (answer, answer)
        page = self.browser(role).get(self.url(name))
        refusal = page.context["refusal"]
        assert (page.status_code, str(refusal) if refusal else OK) == (200, on_page), f"{cell}: page"
        assert on_page == OK or on_page in text_of(page), f"{cell}: page"

        self.check_act(cell, name, role, answer, on_act)

        posted = self.post(role, name, undo=on_page == OK or self.state in OWING)
        assert posted.status_code == (302 if on_page == OK else 409), f"{cell}: post"
        if on_page != OK and on_act != OK:
            assert on_act in text_of(posted), f"{cell}: post"

    def check_act(self, cell: str, name: str, role: str, answer: Answer, on_act: Answer) -> None:
        done = {OK: BECOMES[name], AT_ONCE: "accepted"}
        if on_act in done or isinstance(answer, Owed):
            result = tried(lambda: self.act(name, role).status)
        else:
            # Not undone: that it changed nothing is seen in the rows.
            result = said(lambda: self.act(name, role))
        assert result == done.get(str(on_act), on_act), f"{cell}: service"

    def check_what_is_offered(self) -> None:
        """The order's page has both kinds of case for both sides, and the buttons of the case that matters now."""
        wanted = ["cancel_milestone", "cancel_order", *(ANSWERS if self.state in BUTTONS_ON_THE_ORDER else ())]
        for side in ("buyer", "seller"):
            assert [action.name for action in actions(self.order, side, clock.now())] == wanted, self.state

    def act(self, name: str, role: str) -> Case:
        by = self.people[role]
        if name in OPENINGS:
            kind = name.removeprefix("open_")
            cited = reason(self.cited(role))
            return services.open_case(self.order, by=by, kind=kind, reason=cited, statement="We agreed.")
        if name in ANSWERS:
            return SERVICES[name](self.case, by)
        subject = {"cancel_milestone_by_support": self.milestone, "cancel_order_by_support": self.order}
        return BY_SUPPORT[name](subject.get(name, self.case), by=by, reason=reason("not_as_described"), note=NOTE)

    def button(self, name: str, role: str) -> Action:
        if name in OPENINGS:
            found = actions(self.order, role, clock.now())
        else:
            assert self.case
            self.case.order = self.order
            found = case_actions(self.case, role, clock.now())
        return next(action for action in found if action.name == name.removeprefix("open_"))

    def page(self, name: str, role: str) -> str:
        """What the side reads on the page that has the button; looking changes nothing, so once is enough."""
        url = self.url(name) if name in OPENINGS else f"/cases/{self.case}/"
        if role + url not in self.pages:
            page = self.browser(role).get(url)
            assert page.status_code == 200, url
            self.pages[role + url] = text_of(page)
        return self.pages[role + url]

    def browser(self, role: str) -> Client:
        self.client.cookies = self.cookies[role]
        return self.client

    def post(self, role: str, name: str, *, undo: bool = False) -> Any:
        data = {"version": self.order.version}
        if name in OPENINGS:
            data |= {
                "statement": "We agreed.",
                "reason": reason(self.cited(role)).pk,
            }
        elif name in ANSWERS:
            data |= {"text": "My answer."}
        else:
            data |= {"reason": reason("not_as_described").pk, "note": NOTE, "confirm": "yes"}
        url = self.url(name)
        browser = self.browser(role)
        return tried(lambda: browser.post(url, data)) if undo else browser.post(url, data)

    def cited(self, role: str) -> str:
        return "seller_late" if self.state == "no_case_very_late" and role == "buyer" else "agreed_by_both"

    def url(self, name: str) -> str:
        return ADDRESSES[name].format(
            number=self.order.number,
            order_id=self.order.pk,
            milestone_id=self.milestone.pk,
            case=self.case or "RC-NONE-0000",
            case_id=self.case.pk if self.case else 0,
        )


def said(act: Callable[[], Any]) -> Any:
    """The words it was refused with."""
    try:
        return act()
    except Refused as refused:
        return str(refused.refusal)


def enlist(person: User) -> User:
    """A support agent from now on."""
    person.is_staff = True
    person.save()
    person.groups.add(Group.objects.get(name="Support"))
    return person


def test_the_table_has_every_cell() -> None:
    assert {state: set(cells) for state, cells in TABLE.items()} == {state: set(ACTIONS) for state in STATES}
    assert {len(row) for cells in TABLE.values() for row in cells.values()} == {len(ROLES)}
    assert set(MADE) == set(STATES)


def test_the_table_has_every_action_of_the_code() -> None:
    """An act that gets a button, a ruling or a verb without a row in the table is noticed, and the other way round."""
    assert {f"open_{kind}" for kind in OPENING} == set(OPENINGS)
    assert set(WHO) == set(ANSWERS) == set(SERVICES)
    assert set(RULINGS + WITHOUT_A_CASE) == set(BY_SUPPORT)
    of_people = {"open_case", "accept_case", "decline_case", "withdraw_case", "escalate_case"}
    of_support = {verb.__name__ for verb in BY_SUPPORT.values()}
    of_the_clock = {"settle_case", "settle_due_cases", "open_owed_disputes", "record_chargeback", "tell_decided_rests"}
    # `consider` does nothing. Support opens a case to look into by this verb; it has no page of its own yet.
    others = {"consider", "open_case_by_support"}
    assert set(services.__all__) == of_people | of_support | of_the_clock | others


@pytest.mark.parametrize("state", TABLE)
def test_each_cell_has_one_answer_in_all_places(
    state: str, order_in: OrderIn, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    at, make_case, later = MADE[state]
    order = order_in(at, plan=ONE_STEP) if state == "order_ended" else order_in(at)
    if state == "no_case_awaiting_payment_undecided":
        with django_capture_on_commit_callbacks(execute=True):
            start_next(order, "card_processing")
    case = make_case(order) if make_case else None
    with clock.at(NOON + later):
        Cells(state, order, case).check()
