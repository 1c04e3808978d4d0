"""R6: support takes a side's step on a page of its own, sees what it would do, and is named for it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from marketplace.accounts.models import User
from marketplace.backoffice.tests.conftest import Desk, agent, logged, page
from marketplace.notifications.models import Notice
from orders import services
from orders.models import Delivery, Order
from orders.tests.factories import (
    ONE_STEP,
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
    make_ordered,
    make_placed,
    statuses,
)
from payments.services import Cents

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "She wrote from another address."
PARTY = "You are a party in this order; another agent has to decide."
TYPED: dict[str, dict[str, str]] = {
    "request_revision": {"text": "Frames 4–6 show the old logo."},
    "deliver": {"message": "By e-mail, as Theo asked."},
    "grant_revisions": {"count": "2"},
}
# The step, an order that allows it, whom it is taken for, its label, and what becomes of the order.
STEPS: dict[str, tuple[Callable[[], Order], str, str, tuple[str, str]]] = {
    "decline": (make_offer, "Ana Ruiz", "Decline the offer", ("canceled", "not_started")),
    "abandon": (
        lambda: make_ordered(method="card_authentication"),
        "Ana Ruiz",
        "Use another card",
        ("awaiting_payment", "awaiting_payment"),
    ),
    "accept": (make_delivered, "Ana Ruiz", "Accept", ("active", "completed")),
    "request_revision": (make_delivered, "Ana Ruiz", "Request revision", ("active", "in_revision")),
    "stop": (make_accepted, "Ana Ruiz", "Stop the order", ("completed", "completed")),
    "withdraw": (make_offer, "Theo Lindqvist", "Withdraw the offer", ("canceled", "not_started")),
    "deliver": (make_placed, "Theo Lindqvist", "Deliver", ("active", "delivered")),
    "grant_revisions": (make_placed, "Theo Lindqvist", "Grant extra revisions", ("active", "in_progress")),
}


def url(order: Order, name: str) -> str:
    return f"/admin/orders/order/{order.pk}/on-behalf/{name}/"


def post(client: Client, order: Order, name: str, **given: Any) -> Any:
    """What the form sends that was drawn just now, with some of it replaced."""
    form = {"why": WHY, "version": fresh(order).version, **TYPED.get(name, {})}
    return client.post(url(order, name), form | given)


def typed(answer: Any) -> dict[str, Any]:
    """What the form that is shown again holds."""
    form = answer.context["form"]
    return {name: form[name].value() for name in form.fields if name not in ("version", "files")}


@pytest.mark.parametrize("name", STEPS)
def test_every_step_is_taken_for_its_side_logged_and_told_to_both(desk: Desk, name: str) -> None:
    make, person, label, becomes = STEPS[name]
    order = make()
    shown = desk.client.get(url(order, name))
    assert (shown.status_code, shown.context["refusal"]) == (200, None)
    assert shown.context["title"] == f"{label}, for {person}"
    # What needs nothing but a why is rehearsed with the real code, what is filled in first is not.
    assert (shown.context["rehearsal"] is None) == (name in TYPED)
    answer = post(desk.client, order, name)
    assert (answer.status_code, answer.url) == (302, page(order))
    status, steps = statuses(order)
    assert (status, steps[0]) == becomes
    event = order.events.exclude(kind="left_out").select_related("actor", "on_behalf_of").latest("pk")
    assert (event.actor.name, event.on_behalf_of.name, event.data["why"]) == ("Sam Support", person, WHY)
    told = Notice.objects.filter(key=f"event:{event.pk}").values_list("recipient__name", flat=True)
    assert sorted(told) == sorted([order.buyer.name, order.seller.name])
    assert logged() == [("Sam Support", order.number, f"{label}, for {person}: {WHY}")]
    back = desk.client.get(answer.url).context
    assert [str(message) for message in back["messages"]] == [f"{label}: done for {person}. Both sides are told."]
    line = next(line for line in back["activity"] if line.event == event)
    assert line.who == f"Sam Support, for {person}"
    assert line.text.endswith(f". Why: {WHY}")


class TestTheRehearsal:
    def test_it_is_the_real_act_taken_back(self, desk: Desk) -> None:
        order = make_delivered(plan=ONE_STEP)
        shown = desk.client.get(url(order, "accept")).context
        assert [(change.what, change.after) for change in shown["rehearsal"].states] == [
            ("“Logo”", "Completed"),
            ("The order", "Completed"),
        ]
        assert [str(movement) for movement in shown["rehearsal"].movements] == [
            "$80.00 is paid to the seller",
            "$25.50 is kept as fees",
        ]
        ended = "Your order ended: all milestones are done"
        assert [(message.recipient, message.title) for message in shown["rehearsal"].told] == [
            ("Ana Ruiz", "Customer Support, for you, accepted “Logo”: $80.00 paid"),
            ("Theo Lindqvist", "Customer Support, for Ana Ruiz, accepted “Logo”: $80.00 paid"),
            ("Ana Ruiz", ended),
            ("Theo Lindqvist", ended),
        ]
        assert (statuses(order), cents(order)) == (("active", ["delivered"]), Cents(charged=10_550, held=10_550))
        assert post(desk.client, order, "accept").status_code == 302
        assert cents(order) == Cents(charged=10_550, seller=8_000, fees=2_550)

    def test_it_is_shown_again_for_the_order_as_it_is_now(self, desk: Desk) -> None:
        order = make_delivered()
        seen = fresh(order).version
        deliver(order, "The second cut.")
        answer = post(desk.client, order, "accept", version=seen)
        assert (answer.status_code, answer.context["refusal"]) == (409, None)
        assert answer.context["changes"] == ["Theo Lindqvist delivered “Script” (Delivery 2)"]
        assert (typed(answer), answer.context["form"]["version"].value()) == ({"why": WHY}, seen + 1)
        assert answer.context["rehearsal"].version == seen + 1
        assert (statuses(order)[1][0], logged()) == ("delivered", [])
        assert post(desk.client, order, "accept", version=seen + 1).status_code == 302


class TestTheGroup:
    def group(self, desk: Desk, order: Order) -> dict[str, dict[str, str]]:
        sides = desk.client.get(page(order)).context["sides"]
        return {
            side.person.name: {button.label: str(button.refusal or "") for button in side.buttons} for side in sides
        }

    def test_every_step_is_listed_per_side_possible_or_grey_with_the_reason(self, desk: Desk) -> None:
        assert self.group(desk, make_placed(plan=ONE_STEP)) == {
            "Ana Ruiz": {
                "Decline the offer": "The order is already under way.",
                "Use another card": "“Logo” is paid.",
                "Accept": "Nothing has been delivered for “Logo” yet.",
                "Request revision": "Nothing has been delivered for “Logo” yet.",
                "Stop the order": "“Logo” is open. You can stop after you accept it; to cancel it, open a case.",
            },
            "Theo Lindqvist": {
                "Edit the offer": "The order is already under way.",
                "Withdraw the offer": "The order is already under way.",
                "Deliver": "",
                "Grant extra revisions": "",
            },
        }

    def test_the_links_lead_to_the_pages(self, desk: Desk) -> None:
        order = make_delivered()
        sides = desk.client.get(page(order)).context["sides"]
        links = {button.url for side in sides for button in side.buttons if not button.refusal}
        assert links == {url(order, name) for name in ("accept", "request_revision", "deliver", "grant_revisions")}

    def test_a_party_sees_why_not(self, client: Client, superuser: User) -> None:
        order = make_delivered(buyer=superuser)
        client.force_login(superuser)
        sides = client.get(page(order)).context["sides"]
        assert {str(button.refusal) for side in sides for button in (*side.buttons, *side.opening)} == {PARTY}

    def test_who_may_only_look_has_none(self, client: Client) -> None:
        order = make_delivered()
        client.force_login(agent("Finance"))
        answer = client.get(page(order))
        assert answer.context["sides"] == [] if answer.status_code == 200 else answer.status_code == 403


class TestTheOffer:
    """The seller's own builder: its plan buttons draw the page again, and nothing that was typed is lost."""

    PLAN = {
        "plan-TOTAL_FORMS": "1",
        "plan-INITIAL_FORMS": "0",
        "plan-0-title": "Film",
        "plan-0-price": "100.00",
        "plan-0-delivery_days": "3",
        "plan-0-revisions": "1",
    }

    def send(self, desk: Desk, order: Order, **given: Any) -> Any:
        return post(desk.client, order, "edit_offer", **({"title": "Short film"} | self.PLAN | given))

    def test_it_is_changed_for_the_seller(self, desk: Desk) -> None:
        order = make_offer()
        shown = desk.client.get(url(order, "edit_offer"))
        assert (shown.status_code, shown.context["heading"]) == (200, "Edit the offer, for Theo Lindqvist")
        assert [row["title"].value() for row in shown.context["formset"]] == ["Script", "Storyboard", "Animation"]
        answer = self.send(desk, order)
        assert (answer.status_code, answer.url) == (302, page(order))
        assert (fresh(order).title, [step.title for step in fresh(order).plan]) == ("Short film", ["Film"])
        event = order.events.latest("pk")
        assert (event.actor.name, event.on_behalf_of, event.data["why"]) == ("Sam Support", order.seller, WHY)
        assert logged() == [("Sam Support", order.number, f"Edit the offer, for Theo Lindqvist: {WHY}")]

    def test_what_is_wrong_or_missing_is_said_and_the_rest_kept(self, desk: Desk) -> None:
        order = make_offer()
        wrong = self.send(desk, order, why=" ", **{"plan-0-price": "a lot"})
        assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["why"])
        assert wrong.context["formset"].errors[0].keys() == {"price"}
        more = self.send(desk, order, **{"plan-change": "add"})
        assert (more.status_code, len(more.context["formset"].forms)) == (200, 2)
        assert (more.context["form"]["why"].value(), fresh(order).version, logged()) == (WHY, 1, [])

    def test_another_version_is_not_changed_and_can_be_sent_again(self, desk: Desk) -> None:
        order = make_offer()
        services.edit_offer(order, by=order.seller, title="Theirs", brief="", plan=ONE_STEP, version=1)
        answer = self.send(desk, order, version=1)
        assert (answer.status_code, answer.context["changes"]) == (409, ["Theo Lindqvist changed the offer"])
        assert (fresh(order).title, answer.context["form"]["title"].value()) == ("Theirs", "Short film")
        assert self.send(desk, order, version=answer.context["form"]["version"].value()).status_code == 302

    def test_an_offer_that_was_answered_has_no_builder(self, desk: Desk) -> None:
        order = make_placed()
        answers = [desk.client.get(url(order, "edit_offer")), self.send(desk, order)]
        refusal = "The order is already under way."
        assert [(answer.status_code, str(answer.context["refusal"])) for answer in answers] == [
            (200, refusal),
            (409, refusal),
        ]


class TestRefusals:
    @pytest.mark.parametrize("side", ["buyer", "seller"])
    def test_a_party_takes_no_step(self, client: Client, side: str) -> None:
        person = agent(name="Sam Support")
        order = make_delivered(**{side: person})
        client.force_login(person)
        answers = [client.get(url(order, "accept")), post(client, order, "accept")]
        assert [(answer.status_code, str(answer.context["refusal"])) for answer in answers] == [(403, PARTY)] * 2
        assert (statuses(order)[1][0], logged()) == ("delivered", [])

    def test_nor_who_may_not_rule(self, client: Client) -> None:
        order = make_delivered()
        client.force_login(agent("Finance"))
        answers = [client.get(url(order, "accept")).status_code, post(client, order, "accept").status_code]
        assert (answers, statuses(order)[1][0]) == ([403, 403], "delivered")

    def test_nor_a_side_itself(self, client: Client) -> None:
        order = make_delivered()
        client.force_login(order.buyer)
        assert [client.get(url(order, "accept")).status_code, post(client, order, "accept").status_code] == [302, 302]
        assert statuses(order)[1][0] == "delivered"

    @pytest.mark.parametrize("name", ["place", "pay", "start", "accept_and_continue", "order_again", "nonsense"])
    def test_what_charges_the_buyer_has_no_page(self, desk: Desk, name: str) -> None:
        order = make_delivered()
        assert [desk.client.get(url(order, name)).status_code, post(desk.client, order, name).status_code] == [404, 404]

    def test_an_order_that_is_not_there_has_none(self, desk: Desk) -> None:
        assert desk.client.get("/admin/orders/order/999/on-behalf/accept/").status_code == 404

    def test_the_guards_words_are_shown_and_what_was_typed_is_kept(self, desk: Desk) -> None:
        order = make_accepted()
        refusal = "“Storyboard” has not started."
        shown = desk.client.get(url(order, "deliver"))
        assert (shown.status_code, str(shown.context["refusal"]), shown.context["form"]) == (200, refusal, None)
        answer = post(desk.client, order, "deliver")
        assert (answer.status_code, str(answer.context["refusal"])) == (409, refusal)
        assert typed(answer) == {"why": WHY, "message": "By e-mail, as Theo asked."}
        assert (Delivery.objects.filter(milestone__order=order).count(), logged()) == (1, [])

    def test_the_clock_comes_first_and_is_not_undone(self, desk: Desk) -> None:
        order = make_delivered()
        with at(days=9):
            shown = desk.client.get(url(order, "accept"))
            assert str(shown.context["refusal"]).endswith("the clock is about to settle the order.")
            answer = post(desk.client, order, "accept")
        assert (answer.status_code, str(answer.context["refusal"])) == (409, "The order is completed.")
        assert (ending(order), logged()) == (("completed", "lapsed", after(days=8)), [])


class TestWhatIsTyped:
    @pytest.mark.parametrize("why", ["  \n ", "nul \x00", "x" * 301])
    def test_a_why_is_asked_for_and_the_rest_kept(self, desk: Desk, why: str) -> None:
        order = make_placed()
        answer = post(desk.client, order, "deliver", why=why)
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["why"])
        assert typed(answer)["message"] == "By e-mail, as Theo asked."
        assert (statuses(order)[1][0], logged()) == ("in_progress", [])

    def test_the_sides_own_form_is_asked_for_too(self, desk: Desk) -> None:
        order = make_placed()
        answer = post(desk.client, order, "grant_revisions", count="0")
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["count"])
        assert (typed(answer), current(order).revisions_granted) == ({"count": "0", "why": WHY}, 0)

    @pytest.mark.parametrize("version", ["", "9" * 30])
    def test_without_a_version_nothing_is_done(self, desk: Desk, version: str) -> None:
        order = make_delivered()
        answer = post(desk.client, order, "accept", version=version)
        assert (answer.status_code, typed(answer)) == (409, {"why": WHY})
        assert str(answer.context["refusal"]) == "The order may have changed. Nothing was done; look again."
        assert (answer.context["form"]["version"].value(), statuses(order)[1][0]) == (fresh(order).version, "delivered")

    def test_a_second_click_does_nothing_more(self, desk: Desk) -> None:
        order = make_placed()
        seen = fresh(order).version
        answers = [post(desk.client, order, "deliver", version=seen).status_code for _ in range(2)]
        assert (answers, Delivery.objects.count(), len(logged())) == ([302, 409], 1, 1)

    def test_files_come_with_a_delivery(self, desk: Desk) -> None:
        order = make_placed()
        logo = SimpleUploadedFile("logo.png", b"\x89PNG\r\n\x1a\n and so on")
        assert post(desk.client, order, "deliver", files=[logo]).status_code == 302
        attachment = order.attachments.select_related("uploaded_by").get()
        assert (attachment.name, attachment.uploaded_by) == ("logo.png", order.seller)


def test_both_sides_read_on_their_page_who_did_it_for_whom(desk: Desk, client: Client) -> None:
    order = make_delivered()
    post(desk.client, order, "accept")
    said = {}
    for person in (order.buyer, order.seller):
        client.force_login(person)
        said[person.name] = client.get(order.get_absolute_url()).context["activity"].lines[0].text
    assert said == {
        "Ana Ruiz": f"Customer Support, for you, accepted “Script”; $96.00 paid to Theo Lindqvist. Why: {WHY}",
        "Theo Lindqvist": f"Customer Support, for Ana Ruiz, accepted “Script”; $96.00 paid to you. Why: {WHY}",
    }


def test_the_next_step_is_the_sides_own_again(desk: Desk) -> None:
    order = make_placed()
    post(desk.client, order, "deliver")
    services.accept(current(order), by=order.buyer)
    assert order.events.latest("pk").on_behalf_of is None
