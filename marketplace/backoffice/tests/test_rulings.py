"""R6, R7: each ruling to the cent; rehearsed first, confirmed with the version, refused to parties."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from marketplace.accounts.models import User
from marketplace.backoffice.tests.conftest import (
    NOTE,
    Desk,
    agent,
    cancel_milestone,
    cancel_order,
    case_page,
    logged,
    page,
)
from orders import services
from orders.models import Order, Pause
from orders.rehearsal import Change
from orders.tests.factories import (
    activity,
    after,
    at,
    cents,
    current,
    deliver,
    ending,
    fresh,
    make_accepted,
    make_delivered,
    make_offer,
    make_placed,
    start_next,
    statuses,
    told,
)
from payments.models import Refund, SandboxRefund
from payments.services import Cents, balance
from resolution.models import Case
from resolution.tests.factories import declined, fresh_case, opened, reason

pytestmark = pytest.mark.django_db(transaction=True)

IN_WORK = ("active", ["in_progress", "planned", "planned"])
DELIVERED = ("active", ["delivered", "planned", "planned"])


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


class TestWithoutACase:
    def test_canceling_a_milestone_gives_back_what_is_held(self, desk: Desk) -> None:
        order = make_delivered()
        answer = desk.rule(cancel_milestone(order))
        assert (answer.status_code, answer.url) == (302, page(order))
        assert said(desk.client.get(answer.url)) == ["“Script” is canceled. Both sides are told."]
        assert statuses(order) == ("active", ["canceled", "planned", "planned"])
        assert cents(order) == Cents(charged=12_660, refunded=12_660)
        assert fresh(order).decide_by == after(days=8)
        assert balance(order.seller, "USD") == 0

        case = Case.objects.get()
        assert (case.kind, case.side, case.status, case.ruling, case.note) == (
            "cancel_milestone",
            "support",
            "ruled",
            "cancel_milestone",
            NOTE,
        )
        who = {(kind, by) for kind, by, *_ in activity(order)[-3:]}
        assert who == {("case_opened", "support"), ("case_ruled", "support"), ("canceled", "support")}
        entry = f"Case {case.number}: “Script” is canceled. The delivery is not as described. {case.note}"
        assert logged() == [("Sam Support", order.number, entry), ("Sam Support", case.number, entry)]

    def test_canceling_the_last_milestone_ends_the_order(self, desk: Desk) -> None:
        order = make_accepted()
        for _ in range(2):
            start_next(order)
            desk.rule(cancel_milestone(order))
        assert ending(order) == ("completed", "canceled_by_support", after())
        assert statuses(order)[1] == ["completed", "canceled", "canceled"]
        # 126.60 of the first: 96.00 and 30.60; 158.25 and 211.00 of the others go back.
        assert cents(order) == Cents(charged=49_585, seller=9_600, fees=3_060, refunded=36_925)

    def test_canceling_the_order_keeps_what_was_earned(self, desk: Desk) -> None:
        order = make_accepted()
        start_next(order)
        desk.rule(cancel_order(order))
        assert ending(order) == ("completed", "canceled_by_support", after())
        assert statuses(order)[1] == ["completed", "canceled", "not_started"]
        assert cents(order) == Cents(charged=28_485, seller=9_600, fees=3_060, refunded=15_825)

    @pytest.mark.parametrize("act", [cancel_milestone, cancel_order])
    def test_what_goes_back_is_credit_when_the_buyer_asks_for_that(self, desk: Desk, act: Any) -> None:
        order = make_delivered()
        form = desk.client.get(act(order)).content.decode()
        assert "Only when the buyer asks for it: otherwise it goes back the way it was paid." in form
        seen = desk.rehearse(act(order), as_credit="on")
        assert [str(movement) for movement in seen.context["rehearsal"].movements] == [
            "$126.60 goes back to the buyer",
            "$126.60 of it is given as credit",
        ]
        assert "Given as credit, as the buyer asks" in seen.content.decode()
        assert '<input type="hidden" name="as_credit" value="True">' in seen.content.decode()
        desk.rule(act(order), as_credit="on")
        assert cents(order) == Cents(charged=12_660, refunded=12_660, as_credit=12_660)
        assert (balance(order.buyer, "USD", "credit"), SandboxRefund.objects.count()) == (12_660, 0)
        assert "(refunded as credit)" in logged()[0][2]

    def test_an_order_is_canceled_between_milestones(self, desk: Desk) -> None:
        order = make_accepted()
        seen = desk.rehearse(cancel_order(order)).context["rehearsal"]
        assert seen.movements == []
        desk.rule(cancel_order(order))
        assert statuses(order) == ("completed", ["completed", "not_started", "not_started"])
        assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)

    def test_the_refund_is_asked_for_after_the_confirmation_only(self, desk: Desk) -> None:
        order = make_placed()
        desk.rehearse(cancel_order(order))
        assert (Refund.objects.count(), SandboxRefund.objects.count(), statuses(order)) == (0, 0, IN_WORK)
        assert (Case.objects.count(), logged(), told(order)[-1]) == (0, [], ("funded", "seller"))
        desk.rule(cancel_order(order))
        assert list(SandboxRefund.objects.values_list("amount", "status")) == [(12_660, "succeeded")]

    def test_a_case_must_be_ruled_on_where_it_is(self, desk: Desk) -> None:
        order = make_delivered()
        case = opened(order)
        found = desk.client.get(page(order)).context
        assert [button.label for button in found["buttons"]] == [
            "Cancel “Script”",
            "Cancel the order",
            "Refund a part of “Script”, release the rest",
            "Complete “Script” and pay the seller",
            "Extend “Script”",
            "Open a case",
        ]
        refusal = "A case is open on this order already: one at a time."
        assert {str(button.refusal) for button in found["buttons"]} == {refusal}
        assert str(found["why_none"]) == refusal
        assert found["pending"] == case
        answer = desk.rehearse(cancel_order(order))
        assert answer.status_code == 409
        assert str(answer.context["refusal"]) == "A case is open on this order already: one at a time."
        assert statuses(order) == DELIVERED

    @pytest.mark.parametrize(
        ("make", "refusal"),
        [
            (make_offer, "The offer was not accepted yet."),
            (lambda: make_placed(method="card_declined"), "The first milestone is not paid yet."),
        ],
    )
    def test_an_order_that_is_not_active_is_not_canceled(self, desk: Desk, make: Any, refusal: str) -> None:
        order = make()
        before = statuses(order)
        answer = desk.rehearse(cancel_order(order))
        assert (answer.status_code, str(answer.context["refusal"])) == (409, refusal)
        assert str(desk.client.get(cancel_order(order)).context["refusal"]) == refusal
        assert (statuses(order), Case.objects.count()) == (before, 0)

    def test_nothing_is_canceled_while_the_bank_is_deciding(self, desk: Desk) -> None:
        order = make_accepted()
        start_next(order, "card_processing")
        answer = desk.confirm(cancel_order(order), version=fresh(order).version)
        assert (answer.status_code, str(answer.context["refusal"])) == (
            409,
            "The bank is still deciding about the payment.",
        )
        assert statuses(order) == ("active", ["completed", "awaiting_payment", "planned"])

    def test_a_milestone_that_ended_meanwhile_is_not_taken_for_the_next_one(self, desk: Desk) -> None:
        """The address names no milestone: the version of the rehearsal says which one was meant (O19)."""
        order = make_delivered()
        seen = desk.rehearse(cancel_milestone(order)).context["rehearsal"]
        services.accept(current(order), by=order.buyer)
        answer = desk.confirm(cancel_milestone(order), version=seen.version)
        refusal = "No milestone is open, so there is none to cancel."
        assert (answer.status_code, str(answer.context["refusal"])) == (409, refusal)
        assert answer.context["changes"] == ["Ana Ruiz accepted “Script”; $96.00 paid to Theo Lindqvist"]
        start_next(order)
        again = desk.confirm(cancel_milestone(order), version=seen.version)
        assert (again.status_code, again.context["rehearsal"].states[0].what) == (409, "“Storyboard”")
        assert "Cancel “Storyboard” now" in again.content.decode()
        assert statuses(order)[1] == ["completed", "in_progress", "planned"]
        assert cents(order) == Cents(charged=28_485, held=15_825, seller=9_600, fees=3_060)


class TestOnACase:
    @pytest.mark.parametrize("what", ["rule/cancel_milestone", "rule/cancel_order"])
    def test_a_ruling_on_a_case_gives_credit_too(self, desk: Desk, what: str) -> None:
        case = opened(make_delivered())
        desk.rule(case_page(case, what), as_credit="on")
        assert cents(case.order) == Cents(charged=12_660, refunded=12_660, as_credit=12_660)

    @pytest.mark.parametrize("kind", ["cancel_milestone", "cancel_order"])
    def test_support_cancels_the_milestone_whatever_the_case_asked_for(self, desk: Desk, kind: str) -> None:
        order = make_delivered()
        case = opened(order, kind=kind)
        assert "as_credit" not in desk.client.get(case_page(case, "rule/dismiss")).content.decode()
        answer = desk.rule(case_page(case, "rule/cancel_milestone"))
        assert (answer.status_code, answer.url) == (302, "/admin/resolution/case/")
        assert statuses(order) == ("active", ["canceled", "planned", "planned"])
        assert cents(order) == Cents(charged=12_660, refunded=12_660)
        case = fresh_case(case)
        assert (case.status, case.ruling, case.ended_by.name) == ("ruled", "cancel_milestone", "Sam Support")
        assert [name for name, *_ in logged()] == ["Sam Support", "Sam Support"]

    def test_support_cancels_the_order(self, desk: Desk) -> None:
        order = make_accepted()
        start_next(order)
        case = opened(order)
        desk.rule(case_page(case, "rule/cancel_order"), code="fraud_or_abuse")
        assert ending(order) == ("completed", "canceled_by_support", after())
        assert cents(order) == Cents(charged=28_485, seller=9_600, fees=3_060, refunded=15_825)
        assert fresh_case(case).ruling_reason.code == "fraud_or_abuse"
        assert str(desk.client.get(case_page(case)).context["why_none"]) == "Customer Support has decided this case."

    def test_dismissing_lets_the_clocks_run_with_the_pause_added(self, desk: Desk) -> None:
        order = make_delivered()
        with at(days=1):
            case = opened(order)
        with at(days=2, hours=6):
            answer = desk.rule(case_page(case, "rule/dismiss"))
        assert answer.status_code == 302
        order = fresh(order)
        assert (statuses(order), order.paused_at, order.decide_by) == (DELIVERED, None, after(days=9, hours=6))
        assert (fresh_case(case).status, cents(order)) == ("dismissed", Cents(charged=12_660, held=12_660))
        assert list(Pause.objects.values_list("added_to_decide_by", flat=True)) == [timedelta(hours=30)]

    def test_dismissing_leaves_at_least_the_least_rest(self, desk: Desk) -> None:
        order = make_delivered()
        with at(days=7, hours=23):
            case = opened(order)
        with at(days=8):
            desk.rule(case_page(case, "rule/dismiss"))
        assert fresh(order).decide_by == after(days=9)

    def test_a_case_that_has_ended_is_not_ruled_on(self, desk: Desk) -> None:
        case = declined(make_delivered())
        assert str(desk.client.get(case_page(case)).context["why_none"]) == "The case was declined."
        for what in ("rule/cancel_milestone", "rule/cancel_order", "rule/dismiss"):
            answer = desk.rehearse(case_page(case, what))
            assert (answer.status_code, str(answer.context["refusal"])) == (409, "The case was declined.")
        assert statuses(case.order) == DELIVERED

    def test_silence_that_was_due_comes_first(self, desk: Desk) -> None:
        """R4: the case's own due silence is settled by whoever touches it, dated when it was due."""
        order = make_placed()
        case = opened(order)
        seen = desk.rehearse(case_page(case, "rule/dismiss"))
        with at(hours=50):
            answer = desk.confirm(case_page(case, "rule/dismiss"), version=seen.context["rehearsal"].version)
        assert answer.status_code == 409
        case = fresh_case(case)
        assert (case.status, case.ended_at) == ("accepted", after(hours=48))
        assert str(answer.context["refusal"]) == "The case was accepted."
        assert cents(order) == Cents(charged=12_660, refunded=12_660)


class TestTheRehearsal:
    def test_it_says_what_will_happen_to_every_cent(self, desk: Desk) -> None:
        order = make_accepted()
        start_next(order)
        answer = desk.rehearse(cancel_order(order))
        rehearsal = answer.context["rehearsal"]
        assert rehearsal.states == [
            Change("“Storyboard”", "In progress", "Canceled"),
            Change("“Animation”", "Not started", "Not started any more"),
            Change("The order", "Active", "Completed"),
        ]
        assert [str(movement) for movement in rehearsal.movements] == ["$158.25 goes back to the buyer"]
        assert (rehearsal.before, rehearsal.after) == (
            Cents(charged=28_485, held=15_825, seller=9_600, fees=3_060),
            Cents(charged=28_485, seller=9_600, fees=3_060, refunds_due=15_825),
        )
        assert [(row["label"], row["before"], row["after"]) for row in answer.context["cents"]] == [
            ("Charged", 28_485, 28_485),
            ("Held", 15_825, 0),
            ("Paid to seller", 9_600, 9_600),
            ("Fees", 3_060, 3_060),
            ("Refund on its way", 0, 15_825),
            ("Refunded", 0, 0),
            ("Charged back", 0, 0),
        ]
        assert {message.recipient for message in rehearsal.told} == {"Ana Ruiz", "Theo Lindqvist"}
        html = answer.content.decode()
        shown = ("<strong>$158.25</strong> goes back to the buyer", "Cancel the order now", "The phone layout")
        assert [words in html for words in shown] == [True, True, True]

    def test_what_it_said_is_what_happens(self, desk: Desk) -> None:
        order = make_delivered()
        seen = desk.rehearse(cancel_milestone(order)).context["rehearsal"]
        desk.confirm(cancel_milestone(order), version=seen.version)
        sent_back = Cents(charged=seen.after.charged, refunded=seen.after.refunds_due)
        assert (statuses(order)[1][0], cents(order)) == ("canceled", sent_back)

    def test_when_the_order_has_changed_nothing_is_done_and_the_new_rehearsal_is_shown(self, desk: Desk) -> None:
        order = make_placed()
        seen = desk.rehearse(cancel_milestone(order)).context["rehearsal"]
        deliver(order)
        answer = desk.confirm(cancel_milestone(order), version=seen.version)
        assert answer.status_code == 409
        assert answer.context["changes"] == ["Theo Lindqvist delivered “Script” (Delivery 1)"]
        assert answer.context["rehearsal"].version == seen.version + 1
        assert answer.context["rehearsal"].states[0].before == "Delivered"
        assert (answer.context["note"].splitlines(), answer.context["reason"].code) == (
            NOTE.splitlines(),
            "not_as_described",
        )
        assert (statuses(order), cents(order), logged()) == (DELIVERED, Cents(charged=12_660, held=12_660), [])
        assert desk.confirm(cancel_milestone(order), version=seen.version + 1).status_code == 302

    def test_a_second_click_does_nothing_more(self, desk: Desk) -> None:
        order = make_placed()
        url = cancel_milestone(order)
        version = desk.rehearse(url).context["rehearsal"].version
        answers = [desk.confirm(url, version=version).status_code for _ in range(2)]
        assert answers == [302, 409]
        assert (Case.objects.count(), Refund.objects.count(), len(logged())) == (1, 1, 2)

    def test_a_confirmation_without_its_version_only_rehearses(self, desk: Desk) -> None:
        order = make_placed()
        answer = desk.confirm(cancel_milestone(order), version="")
        assert (answer.status_code, answer.context["rehearsal"].version) == (200, fresh(order).version)
        assert statuses(order) == IN_WORK

    def test_a_version_without_the_confirmation_only_rehearses(self, desk: Desk) -> None:
        order = make_placed()
        answer = desk.rehearse(cancel_milestone(order), version=str(order.version))
        assert (answer.status_code, statuses(order), logged()) == (200, IN_WORK, [])

    def test_the_clock_comes_first_and_is_not_undone(self, desk: Desk) -> None:
        """O7: what was overdue is done and committed, dated when it was due; the ruling finds the order ended."""
        order = make_delivered()
        seen = desk.rehearse(cancel_milestone(order)).context["rehearsal"]
        with at(days=9):
            shown = desk.client.get(page(order)).context
            assert {str(button.refusal) for button in shown["buttons"]} == {"The clock is about to settle this order."}
            answer = desk.confirm(cancel_milestone(order), version=seen.version)
        assert (answer.status_code, str(answer.context["refusal"])) == (409, "The order is completed.")
        assert ending(order) == ("completed", "lapsed", after(days=8))
        assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)

    def test_a_look_at_an_overdue_order_settles_nothing(self, desk: Desk) -> None:
        order = make_delivered()
        with at(days=9):
            answer = desk.rehearse(cancel_milestone(order))
        assert (answer.status_code, statuses(order)) == (409, DELIVERED)


class TestWhatIsTyped:
    @pytest.mark.parametrize("note", ["", "   \n ", "nul \x00", "x" * 5_001])
    def test_a_note_is_asked_for_and_the_reason_kept(self, desk: Desk, note: str) -> None:
        order = make_placed()
        answer = desk.rehearse(cancel_order(order), note=note)
        form = answer.context["form"]
        assert (answer.status_code, list(form.errors)) == (422, ["note"])
        assert form["reason"].value() == str(reason("not_as_described").pk)

    def test_a_reason_is_asked_for_and_the_note_kept(self, desk: Desk) -> None:
        order = make_placed()
        answers = [
            desk.client.post(cancel_order(order), {"reason": given, "note": NOTE}) for given in ("", "0", "x", "9" * 30)
        ]
        assert [answer.status_code for answer in answers] == [422] * 4
        assert {answer.context["form"]["note"].value() for answer in answers} == {NOTE}
        assert [list(answer.context["form"].errors) for answer in answers] == [["reason"]] * 4

    def test_a_refused_ruling_keeps_what_was_typed(self, desk: Desk) -> None:
        order = make_accepted()
        answer = desk.confirm(cancel_milestone(order), version=fresh(order).version)
        assert answer.status_code == 409
        html = answer.content.decode()
        assert ("I looked at both deliveries." in html, "selected>The delivery is not as described" in html) == (
            True,
            True,
        )

    def test_one_can_go_back_and_change_it(self, desk: Desk) -> None:
        order = make_placed()
        answer = desk.rehearse(cancel_order(order), edit="yes")
        assert (answer.status_code, answer.context["form"]["note"].value(), statuses(order)) == (200, NOTE, IN_WORK)


class TestParties:
    """Nobody rules where they are a party (R6)."""

    @pytest.mark.parametrize("side", ["buyer", "seller"])
    def test_an_agent_does_not_rule_on_their_own_order(self, client: Client, side: str) -> None:
        person = agent(name="Sam Support")
        order = make_delivered(**{side: person})
        case = opened(make_delivered(**{side: person}))
        client.force_login(person)
        desk = Desk(client)
        urls = [
            cancel_milestone(order),
            cancel_order(order),
            case_page(case, "rule/dismiss"),
            case_page(case, "rule/cancel_order"),
        ]
        answers = [client.get(url) for url in urls] + [desk.confirm(url, version=4) for url in urls]
        refusal = "You are a party in this order; another agent has to decide."
        assert {(answer.status_code, str(answer.context["refusal"])) for answer in answers} == {(403, refusal)}
        assert (statuses(order), statuses(case.order), logged()) == (DELIVERED, DELIVERED, [])

    def test_a_superuser_neither(self, client: Client, superuser: User) -> None:
        order = make_delivered(buyer=superuser)
        client.force_login(superuser)
        assert Desk(client).confirm(cancel_order(order), version=fresh(order).version).status_code == 403
        assert statuses(order) == DELIVERED


def test_a_superuser_rules_as_well(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    order = make_placed()
    assert Desk(client).rule(cancel_order(order)).status_code == 302
    assert statuses(order) == ("canceled", ["canceled", "not_started", "not_started"])


def test_get_changes_nothing(desk: Desk) -> None:
    order = make_delivered()
    case = opened(make_delivered())
    for url in (
        cancel_milestone(order),
        cancel_order(order),
        case_page(case, "rule/dismiss"),
        page(order),
        case_page(case),
    ):
        assert desk.client.get(url, {"confirm": "yes", "version": "4"}).status_code == 200
    assert [order.version for order in Order.objects.order_by("pk")] == [fresh(order).version, case.order.version]
    assert (statuses(order), fresh_case(case).status) == (DELIVERED, "open")


def test_messages_do_not_make_a_rehearsal_stale(desk: Desk) -> None:
    order = make_placed()
    version = desk.rehearse(cancel_order(order)).context["rehearsal"].version
    services.send_message(order, by=order.buyer, text="Hello?")
    assert desk.confirm(cancel_order(order), version=version).status_code == 302
