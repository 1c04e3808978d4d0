"""The table of role × action × state of cases, asked in four places: guard, button, service and page."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
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
from marketplace.tests.rulings import OF_A_CASE, ON_A_CASE, WITHOUT_A_CASE, Act, why_not_open
from orders import services as orders
from orders.actions import Action
from orders.guards import Refused
from orders.models import Order
from orders.operating import operated_by
from orders.tests.factories import current, deliver, fresh, planned, start_next
from orders.tests.rows import rows
from resolution import services
from resolution.actions import OPENING, actions, case_actions, why_not_now
from resolution.locking import case_of
from resolution.models import Case
from resolution.models.asked import NOTHING_MORE
from resolution.sides import WHO, side_for
from resolution.tests import answers
from resolution.tests.answers import (
    ACTIONS,
    ANSWERS,
    AT_ONCE,
    NEVER,
    NOT_DUE,
    OK,
    ONLY,
    ONLY_SUPPORT,
    OPENINGS,
    PARTY,
    ROLES,
    RULINGS,
    TWINS,
    Answer,
    Owed,
)
from resolution.tests.conftest import NOON, OrderIn, after
from resolution.tests.factories import (
    ASKED,
    CITED,
    bank,
    declined,
    fresh_case,
    opened,
    reason,
    rule,
    rule_without_case,
)
from resolution.tests.table import BUTTONS_ON_THE_ORDER, OWING, TABLE

pytestmark = pytest.mark.django_db

NOTE = "I looked at the files."
ONE_STEP = (planned("Logo", 10_000, 3, 2),)
PAID, DAYS = 3_000, 2


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


def longer(order: Order) -> Case:
    return opened(order, side="seller", kind="extend")


def outlived(order: Order, *, settled: bool) -> Case:
    case = longer(order)
    deliver(order)
    if settled:
        services.settle_case(case.pk)
    return case


def both_open(order: Order, *, about: str) -> Case:
    return {"proposal": longer(order), "dispute": opened(order)}[about]


# Each state: the order's at noon, the case made of it, and how long after noon the cells are asked.
Made = tuple[str, Callable[[Order], Case] | None, timedelta]
AT_NOON = timedelta(0)
MADE: dict[str, Made] = {
    "no_case_in_progress": ("in_progress", None, AT_NOON),
    "no_case_delivered": ("delivered", None, AT_NOON),
    "no_case_in_revision": ("in_revision", None, AT_NOON + timedelta(minutes=1)),
    "no_case_between": ("between", None, AT_NOON),
    "no_case_very_late": ("in_progress", None, timedelta(days=4)),
    "no_case_awaiting_payment_undecided": ("between", None, AT_NOON),
    "open_by_buyer": ("delivered", opened, AT_NOON),
    "open_by_seller": ("in_progress", partial(opened, side="seller", kind="cancel_order"), AT_NOON),
    "refund_asked_by_buyer": ("delivered", partial(opened, kind="partial_refund"), AT_NOON),
    "refund_offered_by_seller": ("in_progress", partial(opened, side="seller", kind="partial_refund"), AT_NOON),
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
    "ruled": ("delivered", partial(ruled, verb=rule), AT_NOON),
    "dismissed": ("delivered", partial(ruled, verb=services.dismiss_case), AT_NOON),
    "order_ended": ("delivered", declined_and_paid, AT_NOON),
    "two_disputes_used": ("in_progress", two_withdrawn, AT_NOON),
    "silence_due_agreed": ("in_progress", opened, timedelta(hours=48)),
    "silence_due_to_support": ("delivered", opened, timedelta(hours=48)),
    "declined_order_overdue": ("delivered", declined_on_the_last_day, timedelta(days=8)),
    "open_extend": ("in_progress", longer, AT_NOON),
    "open_extra_revisions": ("delivered", partial(opened, kind="extra_revisions"), AT_NOON),
    "open_change_upcoming": ("between", partial(opened, side="seller", kind="change_upcoming"), AT_NOON),
    "proposal_declined": ("in_progress", partial(declined, side="seller", kind="extend"), AT_NOON),
    "proposal_void": ("in_progress", partial(outlived, settled=True), AT_NOON),
    "proposal_void_due": ("in_progress", partial(outlived, settled=False), AT_NOON),
    "proposal_overdue": ("in_progress", longer, timedelta(hours=48)),
    "both_open_the_dispute": ("in_progress", partial(both_open, about="dispute"), AT_NOON),
    "both_open_the_proposal": ("in_progress", partial(both_open, about="proposal"), AT_NOON),
}

SERVICES: dict[str, Callable[..., Case]] = {
    "accept": lambda case, by: services.accept_case(case, by=by, text="Yes."),
    "decline": lambda case, by: services.decline_case(case, by=by, text="No."),
    "withdraw": lambda case, by: services.withdraw_case(case, by=by),
    "escalate": lambda case, by: services.escalate_case(case, by=by, text="Please look."),
}
# What an action that is done makes of its case (R2–R4, R6).
BECOMES = {
    **dict.fromkeys(OPENINGS, "open"),
    "accept": "accepted",
    "decline": "declined",
    "withdraw": "withdrawn",
    "escalate": "escalated",
    **dict.fromkeys((*RULINGS, *answers.WITHOUT_A_CASE), "ruled"),
    "dismiss": "dismissed",
    "open_by_support": "escalated",
}
# What is typed in the page of each kind, besides reason and statement.
TYPED = {
    "open_partial_refund": {"amount": "30.00"},
    "open_extend": {"days": "2"},
    "open_extra_revisions": {"revisions": "2"},
    "open_change_upcoming": {
        "plan-TOTAL_FORMS": "1",
        "plan-INITIAL_FORMS": "0",
        "plan-0-title": "Poster",
        "plan-0-price": "80.00",
        "plan-0-delivery_days": "3",
        "plan-0-revisions": "1",
    },
    "rule_split": {"price": "30.00"},
    "split_by_support": {"price": "30.00"},
    "rule_extend": {"days": "2"},
    "extend_by_support": {"days": "2"},
}
# A superuser does what support does, on the same pages: asked with the services and pages in these states.
IN_FULL = ("no_case_in_progress", "open_by_seller", "open_extend")
# Who has no such button at all is turned away at the door, before the state is looked at: asked once for each kind of
# answer, not in every state.
TURNED_AWAY: set[tuple[str, str, int, bool]] = set()


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


def said(act: Callable[[], Any]) -> Any:
    """The words it was refused with."""
    try:
        return act()
    except Refused as refused:
        return str(refused.refusal)


def text_of(page: Any) -> str:
    return unescape(page.content.decode())


def side_of_twin(name: str) -> str:
    return name.removesuffix("_for_a_side")


def ruling_of(name: str) -> str:
    return name.removeprefix("rule_").removesuffix("_by_support")


class Cells:
    """One state of an order and its case, with somebody in every role."""

    def __init__(self, state: str, order: Order, case: Case | None) -> None:
        self.state = state
        self.order = fresh(order)
        self.case = case and fresh_case(case)
        finance, root = UserFactory.create(is_staff=True), UserFactory.create(is_staff=True, is_superuser=True)
        finance.groups.add(Group.objects.get(name="Finance"))
        self.people: dict[str, User] = {
            "buyer": order.buyer,
            "seller": order.seller,
            "stranger": UserFactory.create(),
            "support": enlist(UserFactory.create(name="Sam Support")),
            "support_who_is_a_party": order.seller,
            "finance": finance,
            "superuser": root,
        }
        # One client with everybody's cookies: each would look for all static files anew.
        self.client = Client()
        self.cookies: dict[str, SimpleCookie] = {}
        self.pages: dict[str, str] = {}
        self.before = dump()

    def check(self) -> None:
        for index, role in enumerate(ROLES):
            if role == "support_who_is_a_party":
                self.people[role] = enlist(self.order.seller)
            for name in ACTIONS:
                self.check_cell(f"{self.state} × {name} × {role}", name, role, TABLE[self.state][name][index])
        assert dump() == self.before, f"{self.state}: what was refused or undone changed something"
        self.check_what_is_offered()

    def check_cell(self, cell: str, name: str, role: str, answer: Answer) -> None:
        if name == "settle":
            assert (self.settled() if role == "clock" else NEVER) == answer, cell
        elif answer == NEVER:
            assert role == "clock" or (role == "support_who_is_a_party" and name in OPENINGS + ANSWERS), cell
        elif isinstance(answer, int):
            self.check_not_theirs(cell, name, role, answer)
        elif name == "write":
            self.check_writing(cell, role, str(answer))
        elif name in OPENINGS + ANSWERS:
            self.check_button(cell, name, role, answer)
        else:
            self.check_support(cell, name, role, answer)

    def settled(self) -> str:
        done = {tried(services.settle_due_cases) == 1}
        if self.case:
            case_id = self.case.pk
            done.add(tried(lambda: services.settle_case(case_id)))
        return {(True,): OK, (False,): NOT_DUE}[tuple(done)]

    def check_not_theirs(self, cell: str, name: str, role: str, status: int) -> None:
        words = ""
        if status == 403 and role != "finance":
            words = PARTY if role == "support_who_is_a_party" else self.not_the_side(name)
        key = (name + words, role, status, self.case is None)
        if key not in TURNED_AWAY:
            page = self.post(role, name, undo=self.state in OWING)
            assert page.status_code == status, cell
            if status == 302:
                assert page.headers["Location"].startswith("/admin/login/?"), cell
            assert words in text_of(page), f"{cell}: page"
            TURNED_AWAY.add(key)
        # A party writes as the side that they are, on the side's own page.
        if not words or name == "write":
            return
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
        on_page, on_act = answer if isinstance(answer, Owed) else (str(answer), str(answer))
        possible = on_page in (OK, AT_ONCE)
        button = self.button(name, role)
        assert (button.allowed, button.reason) == (possible, "" if possible else on_page), f"{cell}: button"
        url = f"/orders/{self.order.number}/cases/" if name in OPENINGS else f"/cases/{self.case}/"
        # What is void has no buttons on its page, not even greyed ones: it says that it is void.
        words = "void" if self.state == "proposal_void_due" and name in ANSWERS else on_page
        assert possible or words in self.page(url, role), f"{cell}: page"
        self.check_act(cell, name, role, on_act)
        self.check_post(cell, name, role, answer)

    def check_writing(self, cell: str, role: str, answer: str) -> None:
        assert self.case
        refusal = services.why_not_write(self.case)
        assert (str(refusal) if refusal else OK) == answer, f"{cell}: guard"
        case = self.case
        result = tried(lambda: services.write_in_case(case, by=self.people[role], text="Hello").text)
        assert result == ("Hello" if answer == OK else answer), f"{cell}: service"
        if role == "superuser" and self.state not in IN_FULL:
            return
        posted = self.post(role, "write", undo=answer == OK)
        assert posted.status_code == (302 if answer == OK else 409), f"{cell}: post"
        assert answer == OK or answer in text_of(posted), f"{cell}: post"

    def check_support(self, cell: str, name: str, role: str, answer: Answer) -> None:
        on_page, on_act = answer if isinstance(answer, Owed) else (str(answer), str(answer))
        refusal = self.why_not(name, role)
        assert (str(refusal) if refusal else OK) == on_page, f"{cell}: button"
        if role == "superuser" and self.state not in IN_FULL:
            return
        self.check_act(cell, name, role, on_act)
        page = self.browser(role).get(self.url(name)) if on_page == OK or isinstance(answer, Owed) else None
        if page:
            shown = page.context["refusal"]
            assert (page.status_code, str(shown) if shown else OK) == (200, on_page), f"{cell}: page"
        self.check_post(cell, name, role, answer)

    def check_act(self, cell: str, name: str, role: str, on_act: str) -> None:
        done = {OK: BECOMES[side_of_twin(name)], AT_ONCE: "accepted"}
        # What is refused is not undone: that it changed nothing is seen in the rows.
        run = tried if on_act in done or self.state in OWING else said
        assert run(lambda: self.act(name, role).status) == done.get(on_act, on_act), f"{cell}: service"

    def check_post(self, cell: str, name: str, role: str, answer: Answer) -> None:
        """What is offered is done and undone; what is greyed is refused in those words."""
        on_page = answer.page if isinstance(answer, Owed) else answer
        if isinstance(answer, Owed) and name in OPENINGS and self.state in ("proposal_void_due", "proposal_overdue"):
            # A page that opens a case does first what the clock owes. In other states that changes the order as well,
            # and whoever saw it before is asked to look again.
            on_page = answer.act
        possible = on_page in (OK, AT_ONCE)
        posted = self.post(role, name, undo=possible or self.state in OWING)
        if posted.status_code == 422 and ruling_of(name) == "split":
            return  # a part is judged as it is typed, by what could go back now
        assert posted.status_code == (302 if possible else 409), f"{cell}: post {posted.status_code}"
        if not possible and not isinstance(answer, Owed):
            assert on_page in text_of(posted), f"{cell}: post"

    def check_what_is_offered(self) -> None:
        """The order's page has every kind of case for both sides, and the buttons of the cases that matter now."""
        wanted = [*OPENING, *ANSWERS * BUTTONS_ON_THE_ORDER.get(self.state, 0)]
        for side in ("buyer", "seller"):
            assert [action.name for action in actions(self.order, side, clock.now())] == wanted, self.state

    def act(self, name: str, role: str) -> Case:
        by = self.people[role]
        if name in OPENINGS:
            kind, cited = name.removeprefix("open_"), reason(self.cited(role, name))
            asked = ASKED.get(kind, NOTHING_MORE)
            return services.open_case(self.order, by=by, kind=kind, reason=cited, statement="We agreed.", asked=asked)
        if name in ANSWERS:
            return SERVICES[name](self.case, by)
        if name in TWINS:
            step, case = side_of_twin(name), self.rows_of_case()
            side = {"buyer": self.order.buyer, "seller": self.order.seller}[side_for(case, step)]
            with operated_by(by, self.order, why="They called us."):
                return SERVICES[step](case, side)
        if name == "open_by_support":
            told = {"reason": reason("not_as_described"), "statement": NOTE}
            return services.open_case_by_support(self.order, by=by, kind="cancel_order", **told)
        how = {"by": by, "reason": reason("not_as_described"), "note": NOTE}
        if name == "dismiss":
            return services.dismiss_case(self.case, **how)
        how |= {"split": {"price": PAID}, "extend": {"days": DAYS}}.get(ruling_of(name), {})
        if name in RULINGS:
            return rule(self.case, ruling_of(name), **how)
        return rule_without_case(self.order, ruling_of(name), **how)

    def why_not(self, name: str, role: str) -> Any:
        """Why support cannot do it now, as its button says."""
        order, now, viewer = self.order, clock.now(), self.people[role]
        if name == "open_by_support":
            return why_not_open(order, "cancel_order", now)
        case = self.rows_of_case() if name in (*TWINS, *RULINGS) else None
        if name in TWINS:
            step = side_of_twin(name)
            return why_not_now(case, side_for(case, step), step)
        return Act(ruling_of(name), order, case).why_not(now, viewer)

    def rows_of_case(self) -> Case:
        assert self.case
        return case_of(self.order, self.case.pk, clock.now())

    def button(self, name: str, role: str) -> Action:
        if name in OPENINGS:
            found = actions(self.order, role, clock.now())
        else:
            assert self.case
            self.case.order = self.order
            found = case_actions(self.case, role, clock.now())
        return next(action for action in found if action.name == name.removeprefix("open_"))

    def page(self, url: str, role: str) -> str:
        """What the side reads on the page that has the button; looking changes nothing, so once is enough."""
        if role + url not in self.pages:
            page = self.browser(role).get(url)
            assert page.status_code == 200, url
            self.pages[role + url] = text_of(page)
        return self.pages[role + url]

    def browser(self, role: str) -> Client:
        if role not in self.cookies:
            self.client.cookies = self.cookies[role] = SimpleCookie()
            self.client.force_login(self.people[role])
        self.client.cookies = self.cookies[role]
        return self.client

    def post(self, role: str, name: str, *, undo: bool = False) -> Any:
        data = {"version": self.order.version, "note": NOTE, "text": "My answer.", "why": "They called us."}
        data |= {"statement": "We agreed.", "kind": "cancel_order", "confirm": "yes", **TYPED.get(name, {})}
        data["reason"] = reason(self.cited(role, name) if name in OPENINGS else "not_as_described").pk
        url, browser = self.url(name, role), self.browser(role)
        return tried(lambda: browser.post(url, data)) if undo else browser.post(url, data)

    def cited(self, role: str, name: str) -> str:
        kind = name.removeprefix("open_")
        late = self.state == "no_case_very_late" and role == "buyer" and kind.startswith("cancel")
        return "seller_late" if late else CITED.get(kind, "agreed_by_both")

    def url(self, name: str, role: str = "support") -> str:
        """The addresses as people meet them."""
        number, order_id = self.order.number, self.order.pk
        case, case_id = (self.case.number, self.case.pk) if self.case else ("RC-NONE-0000", 0)
        if name in OPENINGS:
            return f"/orders/{number}/cases/{name.removeprefix('open_').replace('_', '-')}/"
        if name in ANSWERS:
            return f"/cases/{case}/{name}/"
        if name == "write":
            at_admin = role in ("support", "support_who_is_a_party", "finance", "superuser")
            return f"/admin/resolution/case/{case_id}/write/" if at_admin else f"/cases/{case}/messages/"
        if name in TWINS:
            return f"/admin/orders/order/{order_id}/cases/{case_id}/on-behalf/{side_of_twin(name)}/"
        if name in RULINGS:
            return f"/admin/resolution/case/{case_id}/rule/{ruling_of(name)}/"
        if name == "open_by_support":
            return f"/admin/orders/order/{order_id}/open-case/"
        return f"/admin/orders/order/{order_id}/rule/{ruling_of(name)}/"


def enlist(person: User) -> User:
    """A support agent from now on."""
    person.is_staff = True
    person.save()
    person.groups.add(Group.objects.get(name="Support"))
    return person


def test_the_table_has_every_cell() -> None:
    assert {state: set(cells) for state, cells in TABLE.items()} == {state: set(ACTIONS) for state in MADE}
    assert {len(row) for cells in TABLE.values() for row in cells.values()} == {len(ROLES)}


def test_the_table_has_every_action_of_the_code() -> None:
    """An act that gets a button, a ruling or a verb without a row in the table is noticed, and the other way round."""
    assert tuple(f"open_{kind}" for kind in OPENING) == OPENINGS
    assert set(WHO) == set(ANSWERS) == set(SERVICES) == set(OF_A_CASE) == {side_of_twin(twin) for twin in TWINS}
    assert {ruling_of(name) for name in RULINGS} == set(ON_A_CASE)
    assert {ruling_of(name) for name in answers.WITHOUT_A_CASE} == set(WITHOUT_A_CASE) == set(Case.Ruling.values)
    of_people = {"open_case", "accept_case", "decline_case", "withdraw_case", "escalate_case", "write_in_case"}
    of_support = {"rule", "rule_without_case", "dismiss_case", "open_case_by_support", "note_for_support"}
    of_the_clock = {
        "settle_case",
        "settle_cases_of",
        "settle_due_cases",
        "open_owed_disputes",
        "record_chargeback",
        "tell_decided_rests",
    }
    do_nothing = {"consider", "kind_for", "why_not_write", "Decision"}
    assert set(services.__all__) == of_people | of_support | of_the_clock | do_nothing


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
