"""R3: support opens a case itself; the order is frozen until they decide, and both sides are told."""

from typing import Any

import pytest
from django.test import Client

from marketplace.accounts.models import User
from marketplace.backoffice.tests.conftest import Desk, agent, case_page, logged, open_case, page
from marketplace.notifications.models import Notice
from orders.models import Order
from orders.tests.factories import (
    NOON,
    after,
    at,
    cents,
    deliver,
    ending,
    fresh,
    make_accepted,
    make_delivered,
    make_offer,
    make_placed,
    start_next,
    statuses,
)
from payments.services import Cents
from resolution.models import Case
from resolution.tests.factories import opened, reason

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENT = "The buyer was reported twice.\nPlease tell us about the brief."
ONE_AT_A_TIME = "A case is open on this order already: one at a time."


def post(client: Client, order: Order, **given: Any) -> Any:
    """What the form sends that was drawn just now, with some of it replaced."""
    form = {
        "kind": "cancel_order",
        "reason": reason("fraud_or_abuse").pk,
        "statement": STATEMENT,
        "version": fresh(order).version,
    }
    return client.post(open_case(order), form | given)


def typed(answer: Any) -> tuple[str, str, list[str]]:
    """What the form that is shown again holds."""
    form = answer.context["form"]
    return form["kind"].value(), str(form["reason"].value()), form["statement"].value().splitlines()


def kept(kind: str = "cancel_order") -> tuple[str, str, list[str]]:
    return kind, str(reason("fraud_or_abuse").pk), STATEMENT.splitlines()


class TestOpening:
    @pytest.mark.parametrize("kind", ["cancel_order", "cancel_milestone"])
    def test_the_order_is_frozen_and_waits_for_support(self, desk: Desk, kind: str) -> None:
        order = make_delivered()
        answer = post(desk.client, order, kind=kind)
        case = Case.objects.get()
        assert (answer.status_code, answer.url) == (302, case_page(case))
        assert (case.kind, case.side, case.status, case.opened_by.name, case.reason.code) == (
            kind,
            "support",
            "escalated",
            "Sam Support",
            "fraud_or_abuse",
        )
        assert (case.statement.splitlines(), case.support_due) == (STATEMENT.splitlines(), after(days=3))
        assert (fresh(order).paused_at, statuses(order)) == (NOON, ("active", ["delivered", "planned", "planned"]))
        assert cents(order) == Cents(charged=12_660, held=12_660)

    def test_both_sides_are_told_and_the_log_says_who(self, desk: Desk) -> None:
        order = make_placed()
        answer = post(desk.client, order)
        notices = Notice.objects.filter(kind="case_opened").order_by("pk")
        assert {notice.recipient for notice in notices} == {order.buyer, order.seller}
        assert [notice.title for notice in notices] == ["Customer Support opened a case to cancel the order"] * 2
        case = Case.objects.get()
        entry = f"Opened case {case.number}: Fraud or abuse. {case.statement}"
        assert logged() == [("Sam Support", order.number, entry), ("Sam Support", case.number, entry)]
        said = [str(message) for message in desk.client.get(answer.url).context["messages"]]
        assert said == ["The case is open and the order is frozen until you decide. Both sides are told."]

    def test_it_is_decided_on_its_page_like_any_other(self, desk: Desk) -> None:
        order = make_placed()
        post(desk.client, order)
        with at(days=1):
            assert desk.rule(case_page(Case.objects.get(), "rule/dismiss")).status_code == 302
        assert (fresh(order).paused_at, Case.objects.get().status) == (None, "dismissed")

    def test_a_look_at_the_form_opens_nothing(self, desk: Desk) -> None:
        order = make_placed()
        answer = desk.client.get(open_case(order), {"kind": "cancel_order", "statement": STATEMENT})
        assert (answer.status_code, answer.context["refusal"]) == (200, None)
        form = answer.context["form"]
        assert form["version"].value() == fresh(order).version
        assert [label for _, label in form.fields["kind"].choices] == [
            "Choose what it is about",
            "Cancel “Script”",
            "Cancel the order",
        ]
        assert (Case.objects.count(), fresh(order).paused_at) == (0, None)


class TestTheButton:
    def button(self, desk: Desk, order: Order) -> list[tuple[str, str]]:
        found = desk.client.get(page(order)).context["buttons"]
        return [(button.url, str(button.refusal or "")) for button in found if button.label == "Open a case"]

    def test_it_leads_to_the_form(self, desk: Desk) -> None:
        order = make_placed()
        assert self.button(desk, order) == [(open_case(order), "")]

    def test_it_is_grey_with_the_reason(self, desk: Desk) -> None:
        disputed, offered, overdue = make_placed(), make_offer(), make_delivered()
        opened(disputed)
        assert self.button(desk, disputed) == [(open_case(disputed), ONE_AT_A_TIME)]
        assert self.button(desk, offered) == [(open_case(offered), "The offer was not accepted yet.")]
        with at(days=9):
            assert self.button(desk, overdue) == [(open_case(overdue), "The clock is about to settle this order.")]

    def test_an_order_that_has_ended_says_so(self, desk: Desk) -> None:
        order = make_placed()
        post(desk.client, order)
        desk.rule(case_page(Case.objects.get(), "rule/cancel_order"))
        assert self.button(desk, order) == [(open_case(order), "The order is canceled.")]


class TestRefusals:
    @pytest.mark.parametrize("side", ["buyer", "seller"])
    def test_a_party_opens_no_case_for_support(self, client: Client, side: str) -> None:
        person = agent(name="Sam Support")
        order = make_delivered(**{side: person})
        client.force_login(person)
        answers = [client.get(open_case(order)), post(client, order)]
        refusal = "You are a party in this order; another agent has to decide."
        assert [(answer.status_code, str(answer.context["refusal"])) for answer in answers] == [(403, refusal)] * 2
        assert (Case.objects.count(), fresh(order).paused_at, logged()) == (0, None, [])

    def test_a_superuser_neither(self, client: Client, superuser: User) -> None:
        order = make_delivered(buyer=superuser)
        client.force_login(superuser)
        assert (post(client, order).status_code, Case.objects.count()) == (403, 0)

    def test_who_may_not_rule_opens_none(self, client: Client) -> None:
        order = make_placed()
        client.force_login(agent("Finance"))
        answers = [client.get(open_case(order)).status_code, post(client, order).status_code]
        assert (answers, Case.objects.count(), fresh(order).paused_at) == ([403, 403], 0, None)

    def test_one_case_at_a_time(self, desk: Desk) -> None:
        order = make_delivered()
        case = opened(order)
        answer = post(desk.client, order)
        assert (answer.status_code, str(answer.context["refusal"]), typed(answer)) == (409, ONE_AT_A_TIME, kept())
        assert (list(Case.objects.all()), logged()) == ([case], [])

    def test_between_milestones_there_is_only_the_order_to_cancel(self, desk: Desk) -> None:
        order = make_accepted()
        refusal = "No milestone is open, so there is none to cancel."
        shown = desk.client.get(open_case(order)).context
        assert shown["refusal"] is None
        assert shown["form"].fields["kind"].help_text == f"Cancel the milestone is not possible now: {refusal}"
        answer = post(desk.client, order, kind="cancel_milestone")
        assert (answer.status_code, str(answer.context["refusal"])) == (409, refusal)
        assert (typed(answer), Case.objects.count()) == (kept("cancel_milestone"), 0)
        assert post(desk.client, order).status_code == 302

    def test_not_while_the_bank_is_deciding(self, desk: Desk) -> None:
        order = make_accepted()
        start_next(order, "card_processing")
        answer = post(desk.client, order)
        refusal = "The bank is still deciding about the payment."
        assert (answer.status_code, str(answer.context["refusal"])) == (409, refusal)
        assert (Case.objects.count(), fresh(order).paused_at) == (0, None)

    def test_the_clock_comes_first_and_is_not_undone(self, desk: Desk) -> None:
        """O7: what was overdue is done, dated when it was due; then there is nothing left to open a case about."""
        order = make_delivered()
        with at(days=9):
            answer = post(desk.client, order)
        assert (answer.status_code, str(answer.context["refusal"])) == (409, "The order is completed.")
        assert (ending(order), Case.objects.count()) == (("completed", "lapsed", after(days=8)), 0)


class TestAnotherVersion:
    def test_nothing_is_done_and_what_changed_is_shown(self, desk: Desk) -> None:
        order = make_placed()
        seen = fresh(order).version
        deliver(order)
        answer = post(desk.client, order, version=seen)
        assert (answer.status_code, answer.context["refusal"]) == (409, None)
        assert answer.context["changes"] == ["Theo Lindqvist delivered “Script” (Delivery 1)"]
        assert (typed(answer), answer.context["form"]["version"].value()) == (kept(), seen + 1)
        assert (Case.objects.count(), fresh(order).paused_at, logged()) == (0, None, [])
        assert post(desk.client, order, version=seen + 1).status_code == 302

    def test_a_second_click_does_nothing_more(self, desk: Desk) -> None:
        order = make_placed()
        seen = fresh(order).version
        answers = [post(desk.client, order, version=seen) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [302, 409]
        assert str(answers[1].context["refusal"]) == ONE_AT_A_TIME
        assert (Case.objects.count(), len(logged())) == (1, 2)

    @pytest.mark.parametrize("version", ["", "x", "0", "9" * 30])
    def test_without_a_version_nothing_is_done(self, desk: Desk, version: str) -> None:
        order = make_placed()
        answer = post(desk.client, order, version=version)
        assert (answer.status_code, typed(answer)) == (409, kept())
        assert str(answer.context["refusal"]) == "The order may have changed. Nothing was done; look again."
        assert (answer.context["form"]["version"].value(), Case.objects.count()) == (fresh(order).version, 0)


class TestWhatIsTyped:
    @pytest.mark.parametrize("statement", ["", "   \n ", "nul \x00", "x" * 5_001])
    def test_a_statement_is_asked_for_and_the_rest_kept(self, desk: Desk, statement: str) -> None:
        order = make_placed()
        answer = post(desk.client, order, statement=statement)
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["statement"])
        assert typed(answer)[:2] == kept()[:2]
        assert Case.objects.count() == 0

    @pytest.mark.parametrize("field", ["kind", "reason"])
    @pytest.mark.parametrize("given", ["", "0", "x", "9" * 30])
    def test_kind_and_reason_are_asked_for_and_the_statement_kept(self, desk: Desk, field: str, given: str) -> None:
        order = make_placed()
        seen = fresh(order).version
        answer = post(desk.client, order, **{field: given})
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
        assert typed(answer)[2] == STATEMENT.splitlines()
        assert answer.context["form"]["version"].value() == str(seen)
        assert (Case.objects.count(), fresh(order).paused_at) == (0, None)

    def test_a_reason_out_of_use_is_not_taken(self, desk: Desk) -> None:
        order = make_placed()
        row = reason("fraud_or_abuse")
        row.is_active = False
        row.save()
        answer = post(desk.client, order)
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["reason"])

    def test_what_was_typed_is_on_the_page_again(self, desk: Desk) -> None:
        order = make_placed()
        opened(order)
        html = post(desk.client, order).content.decode()
        shown = ("Please tell us about the brief.", "selected>Fraud or abuse", "selected>Cancel the order")
        assert [words in html for words in shown] == [True] * 3
