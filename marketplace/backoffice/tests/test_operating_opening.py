"""R6: support opens a case for a side, on that side's own page, and is named for it."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from marketplace.accounts.models import User
from marketplace.backoffice.tests.conftest import Desk, agent, case_page, logged, page
from marketplace.notifications.models import Notice
from orders.models import Order
from orders.tests.factories import ONE_STEP, at, deliver, ending, fresh, make_delivered, make_offer, make_placed
from resolution.models import Case
from resolution.tests.factories import opened, reason

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "She asked on the phone."
PARTY = "You are a party in this order; another agent has to decide."
ROWS = {
    "plan-TOTAL_FORMS": "1",
    "plan-INITIAL_FORMS": "0",
    "plan-0-title": "Poster",
    "plan-0-price": "80.00",
    "plan-0-delivery_days": "3",
    "plan-0-revisions": "1",
}
# Of each kind: for whom, by name; the button; what is cited and typed; what it asks to.
KINDS: dict[str, tuple[str, str, str, str, dict[str, str], str]] = {
    "cancel_milestone": (
        "buyer",
        "Ana Ruiz",
        "Open a case: cancel the milestone",
        "agreed_by_both",
        {},
        "cancel “Script”",
    ),
    "cancel_order": (
        "seller",
        "Theo Lindqvist",
        "Open a case: cancel the order",
        "agreed_by_both",
        {},
        "cancel the order",
    ),
    "partial_refund": (
        "buyer",
        "Ana Ruiz",
        "Open a case: refund a part",
        "agreed_by_both",
        {"amount": "30.00"},
        "refund $30.00 of “Script”",
    ),
    "extend": (
        "seller",
        "Theo Lindqvist",
        "Propose: extend the delivery date",
        "more_time_needed",
        {"days": "2"},
        "extend “Script” by 2 days",
    ),
    "extra_revisions": (
        "buyer",
        "Ana Ruiz",
        "Propose: extra revisions",
        "more_changes_wanted",
        {"revisions": "2"},
        "add 2 revisions to “Script”",
    ),
    "change_upcoming": (
        "seller",
        "Theo Lindqvist",
        "Propose: change upcoming milestones",
        "plan_has_changed",
        ROWS,
        "change the upcoming milestones",
    ),
}


def url(order: Order, side: str, kind: str) -> str:
    return f"/admin/orders/order/{order.pk}/on-behalf/open/{side}/{kind}/"


def post(client: Client, order: Order, kind: str, **given: Any) -> Any:
    """What the form of its side sends that was drawn just now, with some of it replaced."""
    side, _, _, code, asked, _ = KINDS[kind]
    form = {"version": fresh(order).version, "reason": reason(code).pk, "statement": "We talked.", "why": WHY, **asked}
    return client.post(url(order, side, kind), form | given)


def ready_for(kind: str) -> Order:
    return make_placed() if kind == "extend" else make_delivered()


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_of_every_kind_is_opened_for_its_side_logged_and_told_to_both(desk: Desk, kind: str) -> None:
    side, person, label, code, _, asks = KINDS[kind]
    order = ready_for(kind)
    shown = desk.client.get(url(order, side, kind))
    assert (shown.status_code, shown.context["refusal"]) == (200, None)
    assert (shown.context["heading"], shown.context["up_url"]) == (f"{label}, for {person}", page(order))
    assert [field.label for field in shown.context["form"].visible_fields()][-1] == f"Why you do this for {person}"
    assert Case.objects.count() == 0
    proof = SimpleUploadedFile("proof.png", b"\x89PNG\r\n\x1a\n and so on")
    answer = post(desk.client, order, kind, files=[proof])
    assert (answer.status_code, answer.url) == (302, page(order))
    case, acting = Case.objects.get(), getattr(order, side)
    assert (case.kind, case.side, case.opened_by, case.status, str(case.what)) == (kind, side, acting, "open", asks)
    assert (case.reason.code, case.statement, case.files.get().uploaded_by) == (code, "We talked.", acting)
    event = order.events.get(kind="case_opened")
    assert (event.actor, event.on_behalf_of, event.data["why"]) == (User.objects.get(name="Sam Support"), acting, WHY)
    told = Notice.objects.filter(key=f"event:{event.pk}").values_list("recipient__name", "own_title")
    ask = f"opened a case to {asks}"
    assert {name: ask in title and title.split(",")[0] for name, title in told} == {
        "Ana Ruiz": "Customer Support",
        "Theo Lindqvist": "Customer Support",
    }
    said = f"{label}, for {person}: {WHY}"
    assert logged() == [("Sam Support", order.number, said), ("Sam Support", case.number, said)]
    back = desk.client.get(answer.url).context
    assert [str(message) for message in back["messages"]] == [f"{label}: done for {person}. Both sides are told."]


class TestTheGroup:
    def group(self, desk: Desk, order: Order) -> list[dict[str, str]]:
        return [
            {button.url.split("/open/")[1]: str(button.refusal or "") for button in side.opening}
            for side in desk.client.get(page(order)).context["sides"]
        ]

    def test_every_kind_is_listed_per_side_possible_or_grey_with_the_reason(self, desk: Desk) -> None:
        nothing = "Nothing has been delivered for “Logo” yet."
        order = make_placed(plan=ONE_STEP)
        assert self.group(desk, order) == [
            {
                "buyer/cancel_milestone/": "",
                "buyer/cancel_order/": "",
                "buyer/partial_refund/": "",
                "buyer/extend/": "Only the seller can ask for this.",
                "buyer/extra_revisions/": nothing,
                "buyer/change_upcoming/": "",
            },
            {
                "seller/cancel_milestone/": "",
                "seller/cancel_order/": "",
                "seller/partial_refund/": "",
                "seller/extend/": "",
                "seller/extra_revisions/": "Only the buyer can ask for this.",
                "seller/change_upcoming/": "",
            },
        ]

    def test_a_dispute_leaves_only_proposals(self, desk: Desk) -> None:
        buyers, _ = self.group(desk, opened(make_delivered()).order)
        again = "A case is open on this order already: one at a time."
        assert [buyers[f"buyer/{kind}/"] for kind in ("cancel_milestone", "cancel_order", "partial_refund")] == [
            again
        ] * 3


class TestThePage:
    def test_it_shows_what_the_sides_own_page_shows(self, desk: Desk) -> None:
        order = make_delivered()
        shown = desk.client.get(url(order, "buyer", "cancel_milestone")).context
        assert shown["way"].silence == (
            "If Theo Lindqvist does not answer within 48 hours, the case goes to Customer Support, and the order stays "
            "frozen until they decide."
        )
        assert [str(movement) for movement in shown["outcome"].movements] == ["$126.60 goes back to you"]

    def test_what_would_be_agreed_is_shown_and_nothing_is_opened(self, desk: Desk) -> None:
        order = make_delivered()
        shown = post(desk.client, order, "partial_refund", show="1")
        assert (shown.status_code, shown.context["numbers"].lines[0], Case.objects.count(), logged()) == (
            200,
            "$30.00 of the price and the fee on it: $31.65 goes back to you.",
            0,
            [],
        )
        assert shown.context["form"]["why"].value() == WHY

    def test_the_buttons_of_the_plan_draw_it_again(self, desk: Desk) -> None:
        order = make_delivered()
        shown = post(desk.client, order, "change_upcoming", **{"plan-change": "add"})
        assert (shown.status_code, len(shown.context["plan"].forms), Case.objects.count()) == (200, 2, 0)
        assert (shown.context["form"]["why"].value(), shown.context["form"].errors) == (WHY, {})

    def test_a_very_late_milestone_is_canceled_at_once(self, desk: Desk) -> None:
        order = make_placed(plan=ONE_STEP)
        with at(days=3, hours=1):
            late = reason("seller_late").pk
            assert post(desk.client, order, "cancel_order", reason=late).status_code == 422  # the seller cannot cite it
            form = {"version": fresh(order).version, "reason": late, "statement": "Nothing came.", "why": WHY}
            assert desk.client.post(url(order, "buyer", "cancel_order"), form).status_code == 302
        assert (Case.objects.get().status, ending(order)[:2]) == ("accepted", ("canceled", "canceled_late"))
        assert logged()[0][:2] == ("Sam Support", order.number)


class TestRefusals:
    @pytest.mark.parametrize("side", ["buyer", "seller"])
    def test_a_party_opens_none(self, client: Client, side: str) -> None:
        person = agent(name="Sam Support")
        order = make_delivered(**{side: person})
        client.force_login(person)
        answers = [client.get(url(order, "buyer", "cancel_order")), post(client, order, "cancel_order")]
        assert [(answer.status_code, str(answer.context["refusal"])) for answer in answers] == [(403, PARTY)] * 2
        assert (Case.objects.count(), logged()) == (0, [])

    def test_nor_who_may_not_rule_nor_a_side_itself(self, client: Client) -> None:
        order = make_delivered()
        codes = []
        for person in (agent("Finance"), order.buyer):
            client.force_login(person)
            codes += [
                client.get(url(order, "buyer", "cancel_order")).status_code,
                post(client, order, "cancel_order").status_code,
            ]
        assert (codes, Case.objects.count()) == ([403, 403, 302, 302], 0)

    def test_what_nobody_opens_has_no_page(self, desk: Desk) -> None:
        order = make_delivered()
        pages = [("buyer", "chargeback"), ("buyer", "nonsense"), ("support", "cancel_order")]
        codes = [desk.client.get(url(order, side, kind)).status_code for side, kind in pages]
        codes.append(desk.client.get("/admin/orders/order/999/on-behalf/open/buyer/cancel_order/").status_code)
        assert codes == [404] * 4

    def test_the_guards_words_are_shown_and_what_was_typed_is_kept(self, desk: Desk) -> None:
        order = make_offer()
        refusal = order.refusal_by_state()
        shown = desk.client.get(url(order, "buyer", "cancel_milestone"))
        assert (shown.status_code, shown.context["refusal"], shown.context["form"]) == (200, refusal, None)
        answer = post(desk.client, order, "cancel_milestone")
        assert (answer.status_code, answer.context["refusal"], answer.context["typed"]) == (409, refusal, "We talked.")
        assert (Case.objects.count(), logged()) == (0, [])

    def test_a_reason_that_is_refused_is_told_with_when(self, desk: Desk) -> None:
        order = make_placed()
        answer = post(desk.client, order, "cancel_milestone", reason=reason("seller_late").pk)
        refusal = "The delivery date has not passed, so the seller is not late."
        assert (answer.status_code, str(answer.context["refusal"])) == (409, refusal)
        form = answer.context["form"]
        assert [form[name].value() for name in ("statement", "why")] == ["We talked.", WHY]
        assert (Case.objects.count(), logged()) == (0, [])

    def test_the_clock_comes_first_and_is_not_undone(self, desk: Desk) -> None:
        order = make_delivered()
        with at(days=9):
            answer = post(desk.client, order, "cancel_order")
        assert (answer.status_code, Case.objects.count(), logged()) == (409, 0, [])
        assert str(answer.context["refusal"]).endswith("the clock is about to settle the order.")


class TestWhatIsTyped:
    @pytest.mark.parametrize(
        ("kind", "given", "wrong"),
        [
            ("cancel_order", {"why": " \n "}, "why"),
            ("cancel_order", {"why": "x" * 301}, "why"),
            ("cancel_order", {"statement": ""}, "statement"),
            ("partial_refund", {"amount": "a lot"}, "amount"),
            ("change_upcoming", {"why": ""}, "why"),
        ],
    )
    def test_what_is_missing_or_wrong_is_said_at_its_field(
        self, desk: Desk, kind: str, given: dict[str, str], wrong: str
    ) -> None:
        order = make_delivered()
        answer = post(desk.client, order, kind, **given)
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [wrong])
        assert (Case.objects.count(), logged()) == (0, [])

    @pytest.mark.parametrize("version", ["", "9" * 30])
    def test_without_a_version_nothing_is_done(self, desk: Desk, version: str) -> None:
        order = make_delivered()
        answer = post(desk.client, order, "cancel_order", version=version)
        refusal = "The order may have changed. Nothing was done; look again."
        assert (answer.status_code, str(answer.context["refusal"])) == (409, refusal)
        form = answer.context["form"]
        assert [form[name].value() for name in ("version", "why")] == [str(fresh(order).version), WHY]
        assert Case.objects.count() == 0

    @pytest.mark.parametrize("kind", ["cancel_order", "change_upcoming"])
    def test_another_version_is_shown_with_what_changed_and_can_be_sent_again(self, desk: Desk, kind: str) -> None:
        order = make_delivered()
        seen = fresh(order).version
        deliver(order, "The second cut.")
        answer = post(desk.client, order, kind, version=seen)
        assert (answer.status_code, answer.context["changes"]) == (
            409,
            ["Theo Lindqvist delivered “Script” (Delivery 2)"],
        )
        form = answer.context["form"]
        assert [form[name].value() for name in ("statement", "why")] == ["We talked.", WHY]
        assert Case.objects.count() == 0
        assert post(desk.client, order, kind, version=form["version"].value()).status_code == 302
        assert post(desk.client, order, kind, version=form["version"].value()).status_code == 409
        assert (Case.objects.count(), len(logged())) == (1, 2)


class TestTheCasePage:
    """The case itself says who acted for whom, and offers its own steps."""

    def acted(self, desk: Desk) -> Case:
        post(desk.client, make_delivered(), "cancel_milestone")
        case = Case.objects.get()
        for name, text in (("decline", "No."), ("escalate", "Please look.")):
            form = {"why": WHY, "version": fresh(case.order).version, "text": text}
            desk.client.post(f"/admin/orders/order/{case.order_id}/cases/{case.pk}/on-behalf/{name}/", form)
        return Case.objects.get(status="escalated")

    def test_support_reads_which_agent_acted_for_whom(self, desk: Desk) -> None:
        case = self.acted(desk)
        assert desk.client.get(case_page(case)).context["wrote"] == {
            "opened": "Sam Support, for Ana Ruiz",
            "answered": "Sam Support, for Theo Lindqvist",
            "escalated": "Sam Support, for Ana Ruiz",
        }

    def test_the_sides_read_that_it_was_customer_support(self, desk: Desk, client: Client) -> None:
        case = self.acted(desk)
        client.force_login(case.order.buyer)
        assert [entry.heading for entry in client.get(case.get_absolute_url()).context["entries"]] == [
            "Customer Support, for you, opened the case",
            "Customer Support, for Theo Lindqvist, declined",
            "Customer Support, for you, took it to Customer Support",
        ]

    def test_who_acts_for_themselves_is_named_alone(self, desk: Desk) -> None:
        case = opened(make_delivered())
        assert desk.client.get(case_page(case)).context["wrote"] == {
            "opened": "Ana Ruiz",
            "answered": "",
            "escalated": "",
        }

    def test_its_own_steps_are_offered_there(self, desk: Desk) -> None:
        case = opened(make_delivered())
        sides = desk.client.get(case_page(case)).context["sides"]
        waits = "The case waits for the seller's answer."
        assert [
            (side.person.name, [(each.label, str(each.refusal or "")) for each in side.buttons]) for side in sides
        ] == [
            (
                "Ana Ruiz",
                [
                    (f"Case {case.number}: Withdraw the case", ""),
                    (f"Case {case.number}: Take it to Customer Support", waits),
                ],
            ),
            ("Theo Lindqvist", [(f"Case {case.number}: Accept", ""), (f"Case {case.number}: Decline", "")]),
        ]
        path = f"/admin/orders/order/{case.order_id}/cases/{case.pk}/on-behalf/withdraw/"
        assert desk.client.post(path, {"why": WHY, "version": fresh(case.order).version}).status_code == 302
        assert desk.client.get(case_page(case)).context["sides"] == []

    def test_what_support_opened_has_none(self, desk: Desk, support: User) -> None:
        form = {"kind": "cancel_order", "reason": reason("fraud_or_abuse").pk, "statement": "We look."}
        order = make_placed()
        desk.client.post(f"/admin/orders/order/{order.pk}/open-case/", form | {"version": fresh(order).version})
        answer = desk.client.get(case_page(Case.objects.get()))
        assert (answer.context["sides"], answer.context["wrote"]["opened"]) == ([], "Sam Support")
