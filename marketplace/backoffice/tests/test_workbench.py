"""Support's workbench: every ruling through its pages to the cent, the next case, what is said, and to whom (R6–R8)."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.backoffice.tests.conftest import NOTE, Desk, agent, case_page, logged, page, ruling
from marketplace.notifications.models import Notice
from orders import services
from orders.models import Order
from orders.tests.factories import (
    activity,
    after,
    at,
    cents,
    checked_file,
    current,
    fresh,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_offer,
    make_placed,
    planned,
    statuses,
)
from payments.services import Cents, balance
from resolution.models import Case, CaseMessage, SupportNote
from resolution.models.asked import Asked
from resolution.services import accept_case, note_for_support, open_case_by_support, write_in_case
from resolution.tests.factories import bank, declined, fresh_case, opened, reason, rule

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "/admin/resolution/case/"
PARTY = "You are a party in this order; another agent has to decide."
ONE_LOGO = (planned("Logo", 20_000, 3, 1),)


def waiting(order: Order, **details: Any) -> Case:
    """A case that waits for support: they opened it themselves."""
    by = details.pop("by", None) or agent(name="Lee Support")
    return open_case_by_support(order, by=by, kind="cancel_order", reason=reason(), statement="We look.", **details)


def upload(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"\x89PNG\r\n\x1a\n and so on", "image/png")


def said(client: Client, url: str) -> list[str]:
    return [str(message) for message in client.get(url).context["messages"]]


class TestRulings:
    @pytest.mark.parametrize("on_a_case", [True, False])
    def test_a_split_comes_out_to_the_cent(self, desk: Desk, on_a_case: bool) -> None:
        """M4: 200.00 with 120.00 refunded: back 126.60, seller 64.00, platform 20.40."""
        order = make_delivered(plan=ONE_LOGO)
        url = case_page(opened(order), "rule/split") if on_a_case else ruling(order, "split")
        form = desk.client.get(url).content.decode()
        assert "Less than the $200.00 that are held of the price; $211.00 with the buyer’s fee." in form
        seen = desk.rehearse(url, price="120.00").context["rehearsal"]
        assert [str(movement) for movement in seen.movements] == [
            "$126.60 goes back to the buyer",
            "$64.00 is paid to the seller",
            "$20.40 is kept as fees",
        ]
        answer = desk.rule(url, price="120.00")
        assert answer.status_code == 302
        assert cents(order) == Cents(charged=21_100, refunded=12_660, seller=6_400, fees=2_040)
        assert (statuses(order), balance(order.seller, "USD")) == (("completed", ["completed"]), 6_400)
        case = Case.objects.get()
        words = "$126.60 of “Logo” goes back to the buyer and the rest is paid to the seller"
        assert (case.status, case.ruling, case.decision, case.note) == ("ruled", "split", words, NOTE)
        done = f"Case {case.number}: {words}. Both sides are told." if on_a_case else f"{words}. Both sides are told."
        assert said(desk.client, answer.url)[0] == done
        entry = f"Case {case.number}: {words}. The delivery is not as described. {case.note}"
        assert logged() == [("Sam Support", order.number, entry), ("Sam Support", case.number, entry)]
        told = Notice.objects.filter(own_title=f"Customer Support decided case {case.number}: {words}")
        assert {notice.recipient for notice in told} == {order.buyer, order.seller}

    def test_a_split_in_dinars_as_credit(self, desk: Desk) -> None:
        """KWD 12.345 with 2.345 refunded: of the fee of 0.679 the 0.129 that 10.000 does not cost go back too."""
        order = make_delivered(plan=(planned("Logo", 12_345, 3, 1),), currency="KWD")
        desk.rule(ruling(order, "split"), price="2.345", as_credit="on")
        assert cents(order) == Cents(charged=13_024, refunded=2_474, seller=8_000, fees=2_550, as_credit=2_474)

    def test_what_is_no_part_of_the_price_is_refused_at_the_field(self, desk: Desk) -> None:
        order = make_delivered(plan=ONE_LOGO)
        no_part = "A part is more than nothing and less than the $200.00 that are held of the price."
        no_amount = "Enter an amount like 123.45, without signs or letters."
        expected = {
            "": "This field is required.",
            "0": no_part,
            "200.00": no_part,
            "211.00": no_part,
            "-5": no_amount,
            "a few": no_amount,
            "1.234": "USD has at most 2 decimals: enter an amount like 123.45.",
        }
        for url in (ruling(order, "split"), case_page(opened(order), "rule/split")):
            answers = {price: desk.rehearse(url, price=price) for price in expected}
            assert {answer.status_code for answer in answers.values()} == {422}
            assert {price: answer.context["form"].errors["price"][0] for price, answer in answers.items()} == expected
            assert "autofocus" in str(answers[""].context["form"]["price"])
        assert cents(order) == Cents(charged=21_100, held=21_100)

    def test_support_completes_what_was_not_even_delivered(self, desk: Desk) -> None:
        order = make_placed()
        seen = desk.rehearse(ruling(order, "complete")).context["rehearsal"]
        assert [str(change) for change in seen.states[0].__dict__.values()] == [
            "“Script”",
            "In progress",
            "Completed",
        ]
        desk.rule(ruling(order, "complete"))
        assert statuses(order) == ("active", ["completed", "planned", "planned"])
        assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)
        assert fresh(order).decide_by == after(days=8)

    def test_support_extends_the_delivery_date_after_the_pause(self, desk: Desk) -> None:
        order = make_placed()
        before = fresh(order).plan[0].deliver_by
        case = waiting(order)
        with at(hours=6):
            url = case_page(case, "rule/extend")
            wrong = {days: desk.rehearse(url, days=days).status_code for days in ("", "0", "-1", "366", "2.5")}
            assert set(wrong.values()) == {422}
            seen = desk.rehearse(url, days="3").context["rehearsal"]
            assert [(each.before, each.after) for each in seen.deadlines] == [
                (before, before + timedelta(days=3, hours=6))
            ]
            desk.rule(url, days="3")
        order = fresh(order)
        assert (order.paused_at, order.plan[0].deliver_by) == (None, before + timedelta(days=3, hours=6))
        assert (fresh_case(case).decision, cents(order).held) == ("“Script” has 3 days more", 12_660)
        assert [kind for kind, *_ in activity(order)[-3:]] == ["case_ruled", "resumed", "delivery_extended"]

    @pytest.mark.parametrize("make", [make_offer, make_placed, make_delivered, make_in_revision, make_accepted])
    def test_a_button_says_what_its_page_and_the_service_say(self, desk: Desk, make: Any) -> None:
        """P1: available in the same moments, refused in the same words, with a case and without one."""
        order = make()
        places = [(page(order), ruling(order, "{}"))]
        if order.status == "active":
            frozen = waiting(make())
            places.append((case_page(frozen), case_page(frozen, "rule/{}")))
        for shown_on, address in places:
            context = desk.client.get(shown_on).context
            shown = {button.url: str(button.refusal or "") for button in context["buttons"]}
            for name in Case.Ruling.values:
                url = address.format(name)
                answer = desk.rehearse(url, price="1.00", days="1")
                assert answer.status_code == (409 if shown[url] else 200)
                assert str(answer.context.get("refusal") or "") == shown[url]

    def test_a_proposal_is_for_the_sides_alone(self, desk: Desk) -> None:
        order = make_placed()
        from_seller = {"kind": "extend", "side": "seller", "code": "more_time_needed"}
        case = opened(order, **from_seller, asked=Asked(days=3))
        refusal = "Customer Support decides disputes; a proposal is for the two sides to agree on."
        assert str(desk.client.get(case_page(case)).context["why_none"]) == refusal
        answer = desk.rehearse(case_page(case, "rule/dismiss"))
        assert (answer.status_code, str(answer.context["refusal"])) == (409, refusal)
        assert fresh_case(case).status == "open"
        # Without it support extends all the same, which makes the proposal neither agreed nor void.
        desk.rule(ruling(order, "extend"), days="1")
        assert fresh_case(case).status == "open"


class TestTheNextCase:
    def test_it_opens_after_a_ruling_until_nothing_waits(self, desk: Desk) -> None:
        first = waiting(make_delivered())
        with at(hours=1):
            second = waiting(make_placed())
        assert desk.client.get(f"{QUEUE}next/").url == case_page(first)
        context = desk.client.get(QUEUE).context
        assert (context["waiting"], context["overdue"]) == (2, 0)
        with at(days=3):
            assert desk.client.get(QUEUE).context["overdue"] == 1
        answer = desk.rule(case_page(first, "rule/complete"))
        assert answer.url == case_page(second)
        done = f"Case {first.number}: “Script” is completed and paid. Both sides are told."
        assert said(desk.client, answer.url) == [done]
        with at(hours=2):
            answer = desk.rule(case_page(second, "rule/dismiss"))
        assert answer.url == QUEUE
        assert said(desk.client, answer.url) == [
            f"Case {second.number}: Dismissed: the clocks run again. Both sides are told.",
            "Nothing waits for Customer Support.",
        ]
        assert "Decide the next case" not in desk.client.get(QUEUE).content.decode()

    def test_one_can_be_skipped_and_comes_again(self, desk: Desk) -> None:
        first = waiting(make_delivered())
        assert desk.client.get(f"{QUEUE}{first.pk}/next/").url == QUEUE
        assert said(desk.client, QUEUE) == ["Nothing else waits for Customer Support."]
        with at(hours=1):
            second = waiting(make_placed())
        turns = [desk.client.get(f"{QUEUE}{case.pk}/next/").url for case in (first, second)]
        assert turns == [case_page(second), case_page(first)]

    def test_not_what_only_the_bank_or_another_agent_can_decide(self, desk: Desk, support: User) -> None:
        waiting(make_delivered(buyer=support))
        bank(make_delivered(), "taken")
        opened(make_placed())
        assert Case.objects.filter(status="escalated").count() == 2
        assert desk.client.get(f"{QUEUE}next/").url == QUEUE
        assert desk.client.get(QUEUE).context["waiting"] == 0


class TestTheCasesPage:
    def test_the_promise_is_next_to_the_delivery(self, desk: Desk) -> None:
        order = make_in_revision()
        services.deliver(current(order), by=order.seller, message="Bluer now.", files=[checked_file("blue.png")])
        case = opened(order)
        context = desk.client.get(case_page(case)).context
        promise = context["promise"]
        assert (promise.milestone.title, promise.milestone.description) == ("Script", "What Script contains")
        assert (promise.latest.what.message, [file.name for file in promise.latest.files]) == (
            "Bluer now.",
            ["blue.png"],
        )
        assert [handed.what.number for handed in promise.earlier] == [1]
        assert [event.note for event in promise.revisions_asked] == ["Frames 4–6 show the old logo."]
        assert len(context["activity"]) == order.events.count()
        assert [(row.amount, row.kind) for row in context["transfers"]] == [(12_660, "charge")]

    def test_earlier_decisions_with_the_same_reason(self, desk: Desk, support: User) -> None:
        split = opened(make_delivered(plan=ONE_LOGO), code="not_as_described")
        rule(split, "split", price=12_000, by=support, reason=reason(), note="A part was good.")
        with at(hours=1):
            canceled = opened(make_delivered(), code="agreed_by_both")
            rule(canceled, "cancel_order", by=support, reason=reason("not_as_described"), note="All of it was bad.")
            extended = opened(make_placed(), code="seller_unresponsive")
            rule(extended, "extend", days=2, by=support, reason=reason("fraud_or_abuse"), note="Another reason.")
        case = opened(make_delivered(), code="not_as_described")
        found = desk.client.get(case_page(case)).context["precedents"]
        assert [(row.case, row.decided, row.price, row.went_back) for row in found] == [
            (canceled, "The order is canceled", "$120.00", "$126.60"),
            (
                split,
                "$126.60 of “Logo” goes back to the buyer and the rest is paid to the seller",
                "$200.00",
                "$126.60",
            ),
        ]
        html = desk.client.get(case_page(case)).content.decode()
        shown = (split.number, "A part was good.", "All of it was bad.", "Sam Support")
        assert [words in html for words in shown] == [True] * 4

    def test_how_often_each_side_was_in_cases(self, desk: Desk) -> None:
        order = make_delivered()
        make_delivered(seller=order.seller)
        declined(make_delivered(buyer=order.buyer))
        case = opened(order, side="seller")
        found = desk.client.get(case_page(case)).context["parties"]
        assert [(party.person, party.role, party.cases, party.opened, party.orders) for party in found] == [
            (order.buyer, "buyer", 2, 1, 2),
            (order.seller, "seller", 1, 1, 2),
        ]

    def test_the_first_possible_ruling_has_the_focus_and_each_its_key(self, desk: Desk) -> None:
        case = opened(make_delivered())
        buttons = desk.client.get(case_page(case)).context["buttons"]
        assert [(button.key, button.focused, bool(button.refusal)) for button in buttons] == [
            ("1", True, False),
            ("2", False, False),
            ("3", False, False),
            ("4", False, False),
            ("5", False, True),
            ("6", False, False),
        ]


class TestWriting:
    def test_support_writes_to_both_sides(self, desk: Desk) -> None:
        case = opened(make_delivered())
        posted = {"text": "Please send the brief.", "seen": "0", "files": upload("ask.png")}
        answer = desk.client.post(case_page(case, "write"), posted)
        assert (answer.status_code, answer.url) == (302, f"{case_page(case)}#said")
        message = CaseMessage.objects.get()
        assert (message.text, message.author.name, [file.name for file in message.files.all()]) == (
            "Please send the brief.",
            "Sam Support",
            ["ask.png"],
        )
        told = Notice.objects.filter(kind="case_message")
        assert {notice.title for notice in told} == {f"Customer Support wrote in case {case.number}"}
        assert {notice.recipient for notice in told} == {case.order.buyer, case.order.seller}
        assert logged() == [("Sam Support", case.number, "Wrote to both sides: Please send the brief.")]
        line = desk.client.get(case_page(case)).context["said"][0]
        assert (line.who, [file.name for file in line.files]) == ("for Customer Support", ["ask.png"])
        again = desk.client.post(case_page(case, "write"), {"text": "Please send the brief.", "seen": "0"})
        assert (again.status_code, CaseMessage.objects.count()) == (302, 1)

    def test_nothing_is_sent_without_words_or_when_it_is_over_or_by_a_party(self, desk: Desk, support: User) -> None:
        case, over = opened(make_delivered()), opened(make_placed())
        accept_case(over, by=over.order.seller, text="Yes.")
        theirs = opened(make_delivered(seller=support))
        answers = [
            desk.client.post(case_page(case, "write"), {"text": " "}),
            desk.client.post(case_page(case, "write"), {"text": "See.", "files": upload("x.exe")}),
            desk.client.post(case_page(over, "write"), {"text": "Too late."}),
            desk.client.post(case_page(theirs, "write"), {"text": "I am right."}),
        ]
        assert [answer.status_code for answer in answers] == [422, 422, 409, 403]
        assert [str(answer.context["refusal"]) for answer in answers[2:]] == [
            "The case was accepted.",
            PARTY,
        ]
        assert "Too late." in answers[2].content.decode()
        assert (CaseMessage.objects.count(), logged()) == (0, [])


class TestNotes:
    SECRET = "The buyer was blocked elsewhere."

    def test_only_support_reads_them(self, desk: Desk, support: User) -> None:
        case = opened(make_delivered())
        order = case.order
        noted = desk.client.post(case_page(case, "note"), {"text": self.SECRET})
        assert (noted.status_code, noted.url) == (302, f"{case_page(case)}#notes")
        for _click in range(2):  # a double click notes it once
            desk.client.post(page(order).replace("change", "note"), {"text": "Called them.", "seen": "1"})
        desk.rule(case_page(case, "rule/dismiss"), support_note="Watch this one.")
        assert list(SupportNote.objects.values_list("text", "case_id", "author__name")) == [
            (self.SECRET, case.pk, "Sam Support"),
            ("Called them.", None, "Sam Support"),
            ("Watch this one.", case.pk, "Sam Support"),
        ]
        assert [entry for *_, entry in logged()[:2]] == ["Noted something for support."] * 2
        for url in (page(order), case_page(case)):
            html = desk.client.get(url).content.decode()
            assert [note.text in html for note in SupportNote.objects.all()] == [True] * 3
        for person in (order.buyer, order.seller):
            client = Client()
            client.force_login(person)
            for url in (f"/orders/{order.number}/", f"/cases/{case.number}/", "/notifications/"):
                html = client.get(url).content.decode()
                assert [note.text in html for note in SupportNote.objects.all()] == [False] * 3
        assert not Notice.objects.filter(own_text__contains="Watch this one.").exists()

    def test_nor_does_an_agent_who_is_a_party_or_staff_without_the_right(self, client: Client, desk: Desk) -> None:
        agent_who_sells, lead = agent(name="Pat"), agent(name="Lead")
        case = opened(make_delivered(seller=agent_who_sells))
        note_for_support(case.order, by=lead, text=self.SECRET, case=case)
        client.force_login(agent_who_sells)
        for url in (page(case.order), case_page(case)):
            answer = client.get(url)
            assert (self.SECRET in answer.content.decode(), str(answer.context["why_none"])) == (False, PARTY)
        for url in (case_page(case, "note"), page(case.order).replace("change", "note")):
            answer = client.post(url, {"text": "Mine."})
            assert (answer.status_code, str(answer.context["refusal"])) == (
                403,
                PARTY,
            )
        assert SupportNote.objects.count() == 1

    def test_an_empty_note_is_none(self, desk: Desk) -> None:
        case = opened(make_delivered())
        answers = [
            desk.client.post(case_page(case, "note"), {"text": ""}),
            desk.client.post(page(case.order).replace("change", "note"), {"text": "x" * 5_001}),
        ]
        assert [answer.status_code for answer in answers] == [422, 422]
        assert [list(answer.context["note_form"].errors) for answer in answers] == [["text"], ["text"]]
        assert [desk.client.get(case_page(case, what)).status_code for what in ("note", "write")] == [405, 405]
        assert SupportNote.objects.count() == 0


def test_the_page_costs_as_much_for_a_long_story_as_for_a_short_one(
    desk: Desk, support: User, django_assert_num_queries: Any
) -> None:
    long, short = opened(make_delivered()), waiting(make_placed())
    for number in range(3):
        earlier = opened(make_delivered(buyer=UserFactory.create()))
        rule(earlier, "cancel_order", by=support, reason=reason(), note=f"Decision {number}.")
        write_in_case(long, by=long.order.buyer, text=f"Look {number}.", files=[checked_file(f"{number}.png")])
        note_for_support(long.order, by=support, text=f"Note {number}.", case=long)
    for case in (long, short):
        with django_assert_num_queries(23):
            assert desk.client.get(case_page(case)).status_code == 200
