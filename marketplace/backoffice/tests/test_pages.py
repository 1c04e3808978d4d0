"""What support sees: everything about an order and a case, from a constant number of queries; P3, R8."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from marketplace.accounts.models import User
from marketplace.backoffice.tests.conftest import Desk, case_page, logged, page
from orders import services
from orders.models import Attachment, Order
from orders.tests.factories import (
    THREE_STEPS,
    after,
    at,
    checked_file,
    current,
    deliver,
    fresh,
    make_accepted,
    make_delivered,
    make_offer,
    make_placed,
    start_next,
    statuses,
)
from payments.models import Transfer
from resolution.models import Case
from resolution.services import decline_case, escalate_case, open_case_by_support, settle_due_cases
from resolution.tests.factories import declined, opened, reason

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS, CASES = "/admin/orders/order/", "/admin/resolution/case/"


def rows(answer: Any) -> list[Any]:
    return list(answer.context["cl"].result_list)


def eventful() -> Order:
    """An order in which everything has happened that its page shows."""
    order = make_placed()
    services.send_message(order, by=order.buyer, text="Hello & <b>welcome</b>.", files=[checked_file("brief.png")])
    services.deliver(current(order), by=order.seller, message="Here.", files=[checked_file("a.png"), checked_file()])
    services.request_revision(current(order), by=order.buyer, text="Bluer.")
    deliver(order, "Bluer now.")
    services.accept(current(order), by=order.buyer)
    start_next(order, "card_declined")
    services.pay(current(order), by=order.buyer, method="card_ok")
    case = opened(order)
    with at(hours=1):
        decline_case(case, by=order.seller, text="No.")
    with at(hours=2):
        files = [checked_file("before.png"), checked_file("after.png")]
        opened(order, side="seller", code="scope_disagreement", files=files)
    return order


def longer() -> Order:
    """Three times as many milestones, deliveries, messages, transfers and cases."""
    order = make_placed(plan=THREE_STEPS * 3)
    for number in range(3):
        services.send_message(order, by=order.buyer, text=f"{number}", files=[checked_file(f"{number}.png")])
        deliver(order)
        declined(order, code="scope_disagreement" if number else "not_as_described")
        services.accept(current(order), by=order.buyer)
        start_next(order)
    deliver(order)
    return fresh(order)


class TestTheOrdersPage:
    def test_it_shows_parties_money_and_what_happened(self, desk: Desk) -> None:
        order = eventful()
        answer = desk.client.get(page(order))
        context = answer.context
        assert [(row.title, row.amounts) for row in context["cents"]] == [
            ("1. Script", [12_660, 0, 9_600, 3_060, 0, 0, 0]),
            ("2. Storyboard", [15_825, 15_825, 0, 0, 0, 0, 0]),
            ("The order", [28_485, 15_825, 9_600, 3_060, 0, 0, 0]),
        ]
        moved = [(str(row.source), str(row.destination), row.amount, row.kind) for row in context["transfers"]]
        assert moved == [
            ("Clearing USD (sandbox)", "Held funds USD", 12_660, "charge"),
            ("Held funds USD", "Seller earnings, available USD (Theo Lindqvist)", 9_600, "earning"),
            ("Held funds USD", "Platform fees USD", 3_060, "fee"),
            ("Clearing USD (sandbox)", "Held funds USD", 15_825, "charge"),
        ]
        assert [row.status for row in context["charges"]] == ["succeeded", "failed", "succeeded"]
        assert [(step.milestone.title, len(step.deliveries)) for step in context["steps"]] == [
            ("Script", 2),
            ("Storyboard", 0),
            ("Animation", 0),
        ]
        assert [len(handed.files) for handed in context["steps"][0].deliveries] == [2, 0]
        assert [case.status for case in context["cases"]] == ["open", "declined"]
        assert [(still.to_decide, still.to_deliver) for still in context["pauses"]] == [
            ("–", "1:00:00"),
            ("–", "–"),
        ]
        assert len(context["activity"]) == order.events.count()
        first = context["activity"][-1]
        assert (first.who, first.text) == ("Theo Lindqvist", "Theo Lindqvist sent an offer")
        html = answer.content.decode()
        shown = (order.buyer.email, order.seller.email, "Hello &amp; &lt;b&gt;welcome&lt;/b&gt;.", order.number)
        assert [words in html for words in shown] == [True] * 4

    def test_it_takes_as_many_queries_for_a_long_story_as_for_a_short_one(
        self, desk: Desk, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for order in (make_delivered(), opened(make_delivered()).order, eventful(), longer()):
            with django_assert_num_queries(20):
                assert desk.client.get(page(order)).status_code == 200

    def test_an_order_without_any_money_has_a_page_too(self, desk: Desk) -> None:
        context = desk.client.get(page(make_offer())).context
        assert (context["transfers"], [row.amounts for row in context["cents"]]) == ([], [[0] * 7])

    def test_the_page_has_a_strict_policy_and_nothing_inline(self, desk: Desk) -> None:
        order = eventful()
        for url in (page(order), case_page(order.cases.first()), ORDERS, CASES):
            answer = desk.client.get(url)
            html = answer.content.decode()
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
            assert [bad in html for bad in (" style=", "<style", " onclick=", "<script>")] == [False] * 4


class TestFindingOrders:
    @pytest.mark.parametrize(
        "words", ["number", "beekeeping", "ruiz", "ANA@example.org", "theo@", "Lindqvist beekeeping"]
    )
    def test_an_order_is_found_by_number_title_and_people(self, desk: Desk, words: str) -> None:
        order = make_offer()
        User.objects.filter(pk=order.buyer_id).update(email="ana@example.org")
        User.objects.filter(pk=order.seller_id).update(email="theo@example.org")
        Order.objects.filter(pk=order.pk).update(title="A film about beekeeping")
        make_offer(buyer=User.objects.create_user("x@example.net", name="X"), seller=order.buyer)
        Order.objects.exclude(pk=order.pk).update(buyer=User.objects.create_user("y@example.net", name="Y"))
        Order.objects.exclude(pk=order.pk).update(seller=User.objects.create_user("z@example.net", name="Z"))
        sought = order.number.lower() if words == "number" else words
        assert rows(desk.client.get(ORDERS, {"q": sought})) == [order]

    def test_orders_are_filtered(self, desk: Desk) -> None:
        offered, frozen, ended = make_offer(), opened(make_delivered()).order, make_delivered()
        with at(days=9):
            services.settle(ended.pk)
        stuck = make_placed()
        Order.objects.filter(pk=stuck.pk).update(stuck_at=after())
        found = {
            query: [row.pk for row in rows(desk.client.get(f"{ORDERS}?{query}"))]
            for query in (
                "status__exact=offered",
                "closed_because__exact=lapsed",
                "frozen=yes",
                "stuck=yes",
                "stuck=no",
            )
        }
        assert found == {
            "status__exact=offered": [offered.pk],
            "closed_because__exact=lapsed": [ended.pk],
            "frozen=yes": [frozen.pk],
            "stuck=yes": [stuck.pk],
            "stuck=no": [ended.pk, frozen.pk, offered.pk],
        }

    def test_the_list_takes_as_many_queries_for_many_orders_as_for_one(
        self, desk: Desk, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        make_delivered()
        for count in (0, 3):
            for _ in range(count):
                make_accepted()
            with django_assert_num_queries(7):
                assert desk.client.get(ORDERS).status_code == 200


class TestTheQueue:
    def test_what_waits_for_support_comes_first_by_what_is_due(self, desk: Desk) -> None:
        """R8: then what waits for an answer, then the past."""
        second = User.objects.create_superuser("second@example.org", name="Second")
        late, soon, last = make_delivered(), make_placed(), make_delivered()
        ended = declined(make_delivered())
        silent = opened(late)
        with at(hours=48):
            settle_due_cases()
        with at(hours=60):
            brought = escalate_case(declined(last), by=last.buyer, text="They have not read it.")
            taken = open_case_by_support(soon, by=second, kind="cancel_order", reason=reason(), statement="We look.")
        with at(hours=61):
            waiting = opened(make_placed())
            found = rows(desk.client.get(CASES))
        assert found == [silent, taken, brought, waiting, ended]

    def test_the_columns_say_how_old_how_much_and_who_is_silent(self, desk: Desk) -> None:
        order = make_delivered()
        opened(order)
        with at(hours=48):
            settle_due_cases()
        with at(days=5, hours=3):
            html = desk.client.get(CASES).content.decode()
        cells = ("5 days", "$126.60", "The seller did not answer · Customer Support", "Overdue", "since 3 hours")
        assert [cell in html for cell in cells] == [True] * 5

    def test_overdue_ones_are_filtered(self, desk: Desk) -> None:
        late = opened(make_delivered())
        with at(hours=48):
            settle_due_cases()
            opened(make_delivered())
        with at(days=5, seconds=-1):
            before = rows(desk.client.get(f"{CASES}?due=overdue"))
        with at(days=5):
            found = {due: rows(desk.client.get(f"{CASES}?due={due}")) for due in ("overdue", "today", "later")}
        assert (before, found) == ([], {"overdue": [late], "today": [], "later": []})

    def test_a_case_is_found_by_its_order_and_people(self, desk: Desk) -> None:
        case = opened(make_delivered())
        opened(make_delivered(buyer=User.objects.create_user("x@example.net", name="X")))
        for words in (case.number, case.order.number, f"{case.order.buyer.email} {case.order.number}"):
            assert rows(desk.client.get(CASES, {"q": words})) == [case]

    def test_the_queue_takes_as_many_queries_for_many_cases_as_for_one(
        self, desk: Desk, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        opened(make_delivered())
        for count in (0, 3):
            for _ in range(count):
                opened(make_placed())
            with django_assert_num_queries(9):
                assert desk.client.get(CASES).status_code == 200


class TestTheCasesPage:
    def test_it_shows_what_was_said_and_what_is_at_stake(self, desk: Desk) -> None:
        order = make_delivered()
        case = opened(order, files=[checked_file("proof.png")])
        answer = desk.client.get(case_page(case))
        assert [(button.label, button.refusal) for button in answer.context["buttons"]] == [
            ("Cancel “Script”", None),
            ("Cancel the order", None),
            ("Refund a part of “Script”, release the rest", None),
            ("Complete “Script” and pay the seller", None),
            ("Extend “Script”", fresh(order).plan[0].refusal_by_state()),
            ("Dismiss the case", None),
        ]
        assert [line.event.kind for line in answer.context["activity"]][:3] == ["frozen", "case_opened", "delivered"]
        html = answer.content.decode()
        shown = ("We agreed on the phone.", "proof.png", "$126.60", "The seller has not answered", order.seller.email)
        assert [words in html for words in shown] == [True] * 5

    def test_it_takes_as_many_queries_for_a_long_story_as_for_a_short_one(
        self, desk: Desk, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for case in (eventful().cases.get(status="open"), opened(make_delivered()), opened(longer())):
            with django_assert_num_queries(23):
                assert desk.client.get(case_page(case)).status_code == 200


class TestWithholding:
    """O5: the row and its hash stay, the bytes go."""

    def attached(self) -> Attachment:
        order = make_placed()
        services.deliver(current(order), by=order.seller, message="Here.", files=[checked_file("logo.png")])
        return order.attachments.get()

    def url(self, file: Attachment) -> str:
        return f"/admin/orders/order/{file.order_id}/files/{file.pk}/withhold/"

    def test_a_file_is_withheld_with_a_reason(self, desk: Desk, support: User) -> None:
        file = self.attached()
        kept, stored = file.sha256, file.file.path
        answer = desk.client.post(self.url(file), {"reason": "It is somebody else’s logo."})
        assert (answer.status_code, answer.url) == (302, page(file.order))
        file.refresh_from_db()
        assert (file.withheld_by, file.withheld_because, file.sha256, bool(file.file)) == (
            support,
            "It is somebody else’s logo.",
            kept,
            False,
        )
        assert not Path(stored).exists()
        assert file.order.events.last().kind == "file_withheld"
        assert logged() == [
            ("Sam Support", file.order.number, "Withheld the file logo.png: It is somebody else’s logo.")
        ]
        assert "It is somebody else’s logo." in desk.client.get(page(file.order)).content.decode()

    def test_a_reason_is_asked_for(self, desk: Desk) -> None:
        file = self.attached()
        for reason_given in ("", "  ", "x" * 301):
            answer = desk.client.post(self.url(file), {"reason": reason_given})
            assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["reason"])
        file.refresh_from_db()
        assert (file.withheld_at, logged()) == (None, [])

    def test_a_file_is_withheld_once(self, desk: Desk) -> None:
        file = self.attached()
        codes = [desk.client.post(self.url(file), {"reason": "Stolen."}).status_code for _ in range(2)]
        assert (codes, len(logged())) == ([302, 409], 1)

    def test_a_party_does_not_withhold(self, client: Client, superuser: User) -> None:
        order = make_placed(buyer=superuser)
        services.deliver(current(order), by=order.seller, message="Here.", files=[checked_file()])
        client.force_login(superuser)
        answer = client.post(self.url(order.attachments.get()), {"reason": "I don't like it."})
        assert (answer.status_code, order.attachments.get().withheld_at) == (403, None)


class TestTheClockTriesAgain:
    def test_a_stuck_order_is_released_and_swept(self, desk: Desk) -> None:
        order, other = make_delivered(), make_delivered()
        Order.objects.filter(pk=order.pk).update(stuck_at=after())
        chosen = {"action": "let_the_clock_try_again", "_selected_action": [order.pk, other.pk]}
        answer = desk.client.post(ORDERS, chosen, follow=True)
        assert sorted(str(message) for message in answer.context["messages"]) == sorted(
            [f"{order.number}: the next sweep tries again.", f"{other.number} is not stuck."]
        )
        assert Order.objects.filter(stuck_at=None).count() == 2
        assert logged() == [("Sam Support", order.number, "Released: stuck since 2026-10-20 12:00 UTC.")]
        with at(days=8):
            assert services.settle_due() == 2
        assert statuses(order)[0] == "completed"

    def test_the_page_of_a_stuck_order_has_the_button(self, desk: Desk) -> None:
        order = make_delivered()
        Order.objects.filter(pk=order.pk).update(stuck_at=after())
        html = desk.client.get(page(order)).content.decode()
        assert ("Let the clock try again" in html, "let_the_clock_try_again" in html) == (True, True)

    def test_a_stuck_case_is_released(self, desk: Desk) -> None:
        case = opened(make_placed())
        Case.objects.filter(pk=case.pk).update(stuck_at=after())
        desk.client.post(CASES, {"action": "let_the_clock_try_again", "_selected_action": [case.pk]})
        with at(hours=49):
            assert settle_due_cases() == 1

    def test_who_may_only_look_releases_nothing(self, client: Client) -> None:
        order = make_delivered()
        Order.objects.filter(pk=order.pk).update(stuck_at=after())
        client.force_login(order.buyer)
        client.post(ORDERS, {"action": "let_the_clock_try_again", "_selected_action": [order.pk]})
        assert Order.objects.get(pk=order.pk).stuck_at == after()


def test_the_ledger_of_an_order_is_all_of_it(desk: Desk) -> None:
    order = eventful()
    shown = desk.client.get(page(order)).context["transfers"]
    assert len(shown) == Transfer.objects.count()


def test_a_day_is_counted_to_the_second(desk: Desk) -> None:
    case = opened(make_placed())
    with at(hours=23, minutes=59):
        before = desk.client.get(CASES).content.decode()
    with at(hours=24):
        now = desk.client.get(CASES).content.decode()
    assert ("23 hours" in before, "1 day" in now) == (True, True)
    assert case.answer_by == after() + timedelta(hours=48)
