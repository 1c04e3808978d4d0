"""A seller's earnings: what is there, what is to come and when, and what they are told of their withdrawals."""

from collections.abc import Generator
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries

from marketplace import clock, tasks
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.catalog.models import Terms
from marketplace.catalog.plans import PlannedMilestone
from marketplace.catalog.services import publish_terms
from marketplace.notifications.models import Notice
from marketplace.tests import invariants
from marketplace.tests.visitor import Visitor
from marketplace.withdrawal_notices import tell_withdrawals
from orders import services as orders
from orders.models import Order
from orders.tests.factories import (
    NOON,
    after,
    at,
    current,
    freeze,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_placed,
)
from payments import services
from payments.gateways import sandbox_bank, sandbox_events
from payments.models import PayoutAccount, SandboxPayoutAccount, Withdrawal
from payments.tests.steps import ask_for, connect, earn

AGAIN = "The money is available to you again. Check your bank account before you withdraw it once more."

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    with clock.at(NOON):
        yield


@pytest.fixture(autouse=True)
def _invariants_hold() -> Generator[None, None, None]:
    yield
    assert invariants.check() == []


@pytest.fixture
def theo() -> User:
    return UserFactory(name="Theo Lindqvist")


@pytest.fixture
def finance() -> User:
    return StaffFactory(name="Fred Finance")


def table(seller: User, name: str) -> list[list[str]]:
    """The rows of a table of the page of earnings, as the texts of their cells."""
    client = Client()
    client.force_login(seller)
    html = client.get("/earnings/").content.decode().replace("<br>", " ")
    if f'aria-label="{name}"' not in html:
        return []
    body = html.split(f'aria-label="{name}"')[1].split("</table>")[0]
    return [[" ".join(strip_tags(cell).split()) for cell in row.split("</td>")[:-1]] for row in body.split("<tr>")[2:]]


def to_come(seller: User) -> list[list[str]]:
    return table(seller, "Table of milestones to come")


def slow_terms() -> None:
    """From now on, earnings clear for 14 days."""
    limits = Terms.objects.in_force().price_limits
    publish_terms(by=StaffFactory(is_superuser=True), price_limits=limits, clearing=timedelta(days=14), note="Slow")


# What is to come


def test_each_open_milestone_says_when_it_is_available_at_the_latest(theo: User) -> None:
    make_placed(seller=theo)
    with at(hours=1):
        make_delivered(seller=theo)
    freeze(make_delivered(seller=theo), number="RC-TEST-0002")
    make_in_revision(seller=theo)
    money = ["$120.00", "$24.00", "$96.00"]
    # To be delivered on 23 October, and then the buyer has 8 days.
    forecast = "on 31 Oct at the latest Forecast, if you deliver in time."
    still = "A case is open: the order is frozen, and its clocks stand still."
    assert to_come(theo) == [
        ["Script", "Delivered", *money, "on 28 Oct at the latest"],
        ["Script", "In revision", *money, forecast],
        ["Script", "In progress", *money, forecast],
        ["Script", "Frozen", *money, still],
    ]
    with at(days=4):
        late = [row for row in to_come(theo) if row[1] == "In progress"]
    assert late == [["Script", "In progress", *money, "Late: the date follows from your delivery."]]


def test_a_clearing_time_puts_the_dates_off(theo: User) -> None:
    slow_terms()
    order = make_delivered(seller=theo)
    assert [row[-1] for row in to_come(theo)] == ["on 11 Nov at the latest"]
    with at(days=1):
        orders.accept(current(order), by=order.buyer)
    assert to_come(theo) == [["Script", "Clearing", "$120.00", "$24.00", "$96.00", "on 4 Nov at the latest"]]
    page = Visitor(theo).open("/earnings/")
    assert (page.rows["Available"], page.rows["Clearing"]) == ("$0.00", "$96.00")
    assert services.clear_earnings(at=after(days=15)) == 1
    assert to_come(theo) == []
    page = Visitor(theo).open("/earnings/")
    assert (page.rows["Available"], "Clearing" in page.rows) == ("$96.00", False)


def test_what_is_not_funded_or_has_ended_or_is_somebody_elses_is_not_to_come(theo: User) -> None:
    make_accepted(seller=theo)
    make_placed(seller=theo, method="card_declined")
    make_placed()
    assert to_come(theo) == []
    assert table(theo, "Table of completed milestones") == [
        ["Whiteboard explainer video – Script", "20 Oct", "$120.00", "$24.00", "$96.00"]
    ]


def test_earnings_start_with_nothing_and_are_for_those_who_are_signed_in(theo: User, client: Client) -> None:
    page = Visitor(theo).open("/earnings/")
    assert page.words("p", cls="empty") == [
        "Nothing yet. What you earn appears here, in the currency of the order.",
        "No milestone is completed yet.",
    ]
    assert client.get("/earnings/").headers["Location"] == "/accounts/login/?next=/earnings/"
    client.force_login(theo)
    assert client.post("/earnings/").status_code == 405


def test_completed_milestones_are_paged(theo: User) -> None:
    for number in range(21):
        earn(theo, at=after(minutes=number), description=f"Milestone {number}")
    client = Client()
    client.force_login(theo)
    first = client.get("/earnings/").context["released"]
    second = client.get("/earnings/", {"after": first.after}).context["released"]
    assert [len(first), first[0].description, len(second), second[0].description] == [
        20,
        "Milestone 20",
        1,
        "Milestone 0",
    ]
    assert list(client.get("/earnings/?after=nonsense").context["released"]) == list(first)


def test_the_first_twenty_to_come_are_listed_and_the_rest_is_counted(theo: User, client: Client) -> None:
    client.force_login(theo)
    for days in range(1, 23):
        make_placed(seller=theo, plan=[PlannedMilestone(f"Step {days}", "All of it", 5_000, days, 1)] * 2)
    page = client.get("/earnings/")
    assert [one.title for one in page.context["expected"]] == [f"Step {days}" for days in range(1, 21)]
    assert '2 more come later; <a href="/sales/?state=under-way">' in page.content.decode()


def test_earnings_take_as_many_queries_for_many_milestones_as_for_few(
    theo: User, finance: User, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    connect(theo)
    client.force_login(theo)
    for number in range(1, 4):
        make_delivered(seller=theo)
        earn(theo, currency=["USD", "EUR"][number % 2])
        slow_terms()
        with transaction.atomic():
            services.reject_withdrawal(
                ask_for(theo, 1000, "EUR" if number % 2 else "USD"), by=finance, reason="x", at=NOON
            )
        orders.accept(current(make_delivered(seller=theo)), by=Order.objects.latest("pk").buyer)
        if number in (1, 3):
            # Session, viewer, account; what is to come, purses, months; released, withdrawals, unread.
            with django_assert_num_queries(9):
                client.get("/earnings/")


# Withdrawals


def test_the_page_leads_from_the_bank_to_the_withdrawal_and_shows_its_state(theo: User, finance: User) -> None:
    earn(theo)
    seller = Visitor(theo)
    page = seller.open("/earnings/")
    assert "Connect your bank first." in page.words("p", cls="small")
    page = seller.press("Connect your bank")
    assert page.title == "Your bank account"
    seller.press("Use this account")
    page = seller.open("/earnings/")
    assert "You are paid to Sandbox Bank ending in 6789." in page.words("p")
    seller.follow("Withdraw USD")
    seller.press("Continue", amount="50.00")
    page = seller.press("Withdraw $50.00")
    assert page.told == ["You asked to withdraw $50.00. We tell you when it is decided."]
    assert (page.rows["Available"], page.rows["Being withdrawn"]) == ("$30.00", "$50.00")
    assert "A withdrawal is under way; the next one can follow it." in page.words("p", cls="small")
    assert states(theo) == ["Waits until we have looked at it. Call it off"]
    seller.follow("Call it off")
    page = seller.press("Call it off")
    assert (page.rows["Available"], states(theo)) == ("$80.00", ["You called it off."])


def states(seller: User) -> list[str]:
    return [row[-1] for row in table(seller, "Table of withdrawals")]


def approve(withdrawal: Withdrawal, finance: User) -> None:
    with transaction.atomic():
        services.approve_withdrawal(withdrawal, by=finance, at=clock.now())


def test_a_restricted_account_and_a_debt_are_said(theo: User) -> None:
    connect(theo, "bank_restricted")
    assert any("is restricted" in words for words in Visitor(theo).open("/earnings/").words("p"))


def test_the_banks_news_reach_the_seller_as_states_and_notices(theo: User, finance: User) -> None:
    earn(theo)
    connect(theo, "bank_returned")
    withdrawal = ask_for(theo)
    assert tell_withdrawals() == 0
    approve(withdrawal, finance)
    assert states(theo) == ["Paid on 20 Oct."]
    assert [tell_withdrawals() for _ in range(2)] == [1, 0]
    sandbox_bank.settle_payouts(after(minutes=1))
    sandbox_events.deliver_due(after(minutes=1))
    assert states(theo) == ["Not paid, the money is available again. The bank sent the money back."]
    tasks.tell_withdrawals()
    notices = Notice.objects.filter(recipient=theo, kind__startswith="withdrawal").order_by("pk")
    assert list(notices.values_list("kind", "own_title", "own_text", "url")) == [
        (
            "withdrawal_paid",
            "Your withdrawal of $50.00 is paid",
            "It was approved by Fred Finance and paid to Sandbox Bank ending in 1114.",
            "/earnings/",
        ),
        (
            "withdrawal_failed",
            "Your withdrawal of $50.00 could not be paid",
            "The bank sent the money back.\n" + AGAIN,
            "/earnings/",
        ),
    ]


def test_an_approval_that_takes_its_time_is_told_once(theo: User, finance: User) -> None:
    earn(theo)
    connect(theo, "bank_processing")
    withdrawal = ask_for(theo)
    with transaction.atomic():
        services.approve_withdrawal(withdrawal, by=finance, at=NOON)
        Withdrawal.objects.filter(pk=withdrawal.pk).update(asked_at=None)
    assert states(theo) == ["On its way to your account."]
    assert tell_withdrawals() == 1
    Withdrawal.objects.update(told="approved")  # told while it was approved, and sent since
    assert tell_withdrawals() == 0
    sandbox_bank.settle_payouts(after(minutes=1))
    sandbox_events.deliver_due(after(minutes=1))
    assert tell_withdrawals() == 1
    told = Notice.objects.filter(recipient=theo).order_by("pk").values_list("key", flat=True)
    assert list(told) == [f"withdrawal:{withdrawal.pk}:approved", f"withdrawal:{withdrawal.pk}:paid"]


def test_a_rejection_is_told_with_its_reason_and_who_decided(theo: User, finance: User) -> None:
    earn(theo)
    connect(theo)
    with transaction.atomic():
        services.reject_withdrawal(ask_for(theo), by=finance, reason="<b>Another name.</b>", at=NOON)
    assert tell_withdrawals() == 1
    assert Notice.objects.get(recipient=theo).text == (
        "Fred Finance rejected it: <b>Another name.</b>\nThe money is available to you again."
    )
    assert Visitor(theo).open("/earnings/").words("q") == ["<b>Another name.</b>"]


def test_one_that_cannot_be_told_stands_before_no_other(
    theo: User, finance: User, caplog: pytest.LogCaptureFixture
) -> None:
    sellers = [theo, UserFactory()]
    for seller in sellers:
        earn(seller)
        connect(seller)
        approve(ask_for(seller), finance)
    first = Withdrawal.objects.earliest("pk")
    Withdrawal.objects.filter(pk=first.pk).update(told="nonsense")
    assert tell_withdrawals() == 1
    assert caplog.messages == [f"The owner of withdrawal {first.pk} could not be told."]
    assert Notice.objects.get().recipient == sellers[1]


def test_news_of_an_account_make_us_ask_about_it(theo: User) -> None:
    account = services.connect_payout_account(theo, at=NOON)
    sandbox_bank.choose_account(SandboxPayoutAccount.objects.get().pk, "bank_ok", at=NOON)
    sandbox_events.deliver_due(NOON)
    account = PayoutAccount.objects.get(pk=account.pk)
    assert (account.status, account.label) == ("ready", "Sandbox Bank ending in 6789")
