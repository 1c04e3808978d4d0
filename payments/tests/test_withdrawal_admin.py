"""Finance decides about withdrawals and keeps their limits; everybody else looks, or does not even that."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from marketplace.accounts.models import User
from payments import services
from payments.models import PayoutAccount, Withdrawal, WithdrawalLimit

from .factories import NOON, PersonFactory
from .steps import ask_for, connect, earn

pytestmark = pytest.mark.django_db
QUEUE = "/admin/payments/withdrawal/"
LIMITS = "/admin/payments/withdrawallimit/"


def member(group: str, **details: object) -> User:
    person = PersonFactory.create(is_staff=True, **details)
    person.groups.add(Group.objects.get(name=group))
    return person


@pytest.fixture
def fred(db: None) -> User:
    return member("Finance", name="Fred Finance")


@pytest.fixture
def finance(client: Client, fred: User) -> Client:
    client.force_login(fred)
    return client


def make(name: str = "Selma Seller", price: int = 10_000, hours: float = 0, amount: int = 5000) -> Withdrawal:
    seller = PersonFactory.create(name=name)
    earn(seller, price)
    connect(seller)
    return ask_for(seller, amount, at=NOON - timedelta(hours=hours))


def decide(client: Client, withdrawal: Withdrawal, **data: str) -> tuple[int, str]:
    response = client.post(f"{QUEUE}{withdrawal.pk}/decide/", data)
    withdrawal.refresh_from_db()
    return response.status_code, " ".join(strip_tags(response.content.decode()).split())


def test_the_queue_shows_who_waits_longest_first(finance: Client) -> None:
    make("Late Comer", hours=1)
    first = make("Early Bird", hours=30)
    done = make("Done Already", hours=40)
    with transaction.atomic():
        services.reject_withdrawal(done, by=PersonFactory.create(), reason="No", at=NOON)
    page = finance.get(QUEUE).content.decode()
    names = ["Early Bird", "Late Comer", "Done Already"]
    assert sorted(names, key=page.index) == names
    text = " ".join(strip_tags(page).split())
    assert "1 d 6 h$50.00Early BirdDecide$30.00$0.00Waits for approvalSandbox Bank ending in 6789" in text
    assert f'href="{QUEUE}{first.pk}/decide/"' in page
    assert f"{done.pk}/decide/" not in page


@pytest.mark.parametrize(
    ("group", "looks", "decides"), [("Support", 200, 403), ("Finance", 200, 200), ("", 403, 403), (None, 302, 302)]
)
def test_who_may_look_and_who_decides(client: Client, group: str | None, looks: int, decides: int) -> None:
    withdrawal = make()
    if group is not None:
        client.force_login(member(group) if group else PersonFactory.create(is_staff=True))
    assert client.get(QUEUE).status_code == looks
    assert client.get(f"{QUEUE}{withdrawal.pk}/change/").status_code == looks
    assert client.get(f"{QUEUE}{withdrawal.pk}/decide/").status_code == decides
    if decides != 200:
        assert decide(client, withdrawal, approve="yes")[0] == decides
        client.post(QUEUE, {"action": "approve", "_selected_action": [withdrawal.pk]})
        withdrawal.refresh_from_db()
        assert withdrawal.status == "requested"


def test_finance_approves_and_the_log_says_who(
    finance: Client, fred: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    withdrawal = make()
    with django_capture_on_commit_callbacks(execute=True):
        assert decide(finance, withdrawal, approve="yes")[0] == 302
    withdrawal.refresh_from_db()
    assert (withdrawal.status, withdrawal.decided_by) == ("paid", fred)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (fred, str(withdrawal.pk))
    assert entry.change_message == "Approved $50.00 to Selma Seller (Approved)."
    for again in ({"approve": "yes"}, {"reject": "yes", "reason": "No"}):
        status, text = decide(finance, withdrawal, **again)
        assert (status, "It was decided already." in text, withdrawal.status) == (409, True, "paid")
    assert LogEntry.objects.count() == 1


def test_finance_rejects_with_a_reason_that_is_kept_as_typed(finance: Client, fred: User) -> None:
    withdrawal = make()
    status, text = decide(finance, withdrawal, reject="yes", reason=" ")
    assert (status, "Say why: the seller reads it." in text, withdrawal.status) == (409, True, "requested")
    status, text = decide(finance, withdrawal, reject="yes", reason="x" * 301)
    assert (status, "x" * 301 in text, withdrawal.status) == (422, True, "requested")
    assert decide(finance, withdrawal, reject="yes", reason="Another name on the account.")[0] == 302
    assert (withdrawal.status, withdrawal.decided_by) == ("rejected", fred)
    assert LogEntry.objects.get().change_message == (
        "Rejected $50.00 to Selma Seller (Rejected): Another name on the account."
    )


def test_nobody_decides_about_their_own_in_admin_either(finance: Client, fred: User) -> None:
    earn(fred)
    connect(fred)
    own = ask_for(fred)
    page = finance.get(f"{QUEUE}{own.pk}/decide/").content.decode()
    assert "Nobody decides about their own withdrawal." in page
    assert 'name="approve"' not in page
    for data in ({"approve": "yes"}, {"reject": "yes", "reason": "Mine"}):
        status, text = decide(finance, own, **data)
        assert (status, "Nobody decides about their own withdrawal." in text) == (409, True)
    response = finance.post(QUEUE, {"action": "approve", "_selected_action": [own.pk]}, follow=True)
    assert [str(message) for message in response.context["messages"]] == [
        "$50.00 to Fred Finance (Waits for approval): Nobody decides about their own withdrawal."
    ]
    assert not LogEntry.objects.exists()


def test_finance_approves_several_at_once(
    finance: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    both = [make("One Seller"), make("Another Seller")]
    with django_capture_on_commit_callbacks(execute=True):
        data = {"action": "approve", "_selected_action": [withdrawal.pk for withdrawal in both]}
        response = finance.post(QUEUE, data, follow=True)
    assert sorted(str(message) for message in response.context["messages"]) == [
        "$50.00 to Another Seller (Approved): the provider is being asked.",
        "$50.00 to One Seller (Approved): the provider is being asked.",
    ]
    assert list(Withdrawal.objects.values_list("status", flat=True)) == ["paid", "paid"]
    assert LogEntry.objects.count() == 2


def test_nothing_is_edited_added_or_deleted_and_odd_addresses_are_not_found(client: Client) -> None:
    withdrawal = make()
    client.force_login(PersonFactory.create(is_staff=True, is_superuser=True))
    account = PayoutAccount.objects.get()
    for page in (f"{QUEUE}{withdrawal.pk}/", f"/admin/payments/payoutaccount/{account.pk}/"):
        assert client.get(f"{page}change/").status_code == 200
        assert client.post(f"{page}change/", {"amount": 1, "status": "paid"}).status_code == 403
        assert client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    for page in (QUEUE, "/admin/payments/payoutaccount/", LIMITS):
        assert client.post(f"{page}add/", {}).status_code == 403
    assert [client.get(f"{QUEUE}{odd}/decide/").status_code for odd in ("x", "0", "99999999")] == [404, 404, 404]
    limit = WithdrawalLimit.objects.get(currency="USD")
    assert client.post(f"{LIMITS}{limit.pk}/delete/", {"post": "yes"}).status_code == 403


def test_finance_keeps_the_limits(finance: Client) -> None:
    limit = WithdrawalLimit.objects.get(currency="USD")
    page = f"{LIMITS}{limit.pk}/change/"
    assert 'value="10.00"' in finance.get(page).content.decode()
    assert finance.post(page, {"least": "25", "greatest": "$2,000.50"}).status_code == 302
    limit.refresh_from_db()
    assert (limit.least, limit.greatest) == (2500, 200_050)
    for least, greatest, why_not in [
        ("0", "100", "The least is more than nothing."),
        ("50", "49.99", "The greatest is not below the least."),
        ("ten", "100", "Enter an amount like 123.45, without signs or letters."),
        ("1.001", "100", "USD has at most 2 decimals"),
        ("1", "9" * 39, "That is more than we can handle"),
        ("", "100", "This field is required."),
    ]:
        response = finance.post(page, {"least": least, "greatest": greatest})
        assert (response.status_code, why_not in response.content.decode()) == (200, True), why_not
    limit.refresh_from_db()
    assert (limit.least, limit.greatest) == (2500, 200_050)
    yen = WithdrawalLimit.objects.get(currency="JPY")
    assert 'value="1000"' in finance.get(f"{LIMITS}{yen.pk}/change/").content.decode()


def test_support_cannot_change_the_limits(client: Client) -> None:
    client.force_login(member("Support"))
    limit = WithdrawalLimit.objects.get(currency="USD")
    assert client.post(f"{LIMITS}{limit.pk}/change/", {"least": "1", "greatest": "2"}).status_code == 403


def test_the_queue_takes_as_many_queries_for_many_as_for_one(
    finance: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make()
    finance.get(QUEUE)
    # Session, person, permissions of the person and of their groups, count, rows, currencies.
    with django_assert_num_queries(7):
        finance.get(QUEUE)
    for _ in range(3):
        make()
    with django_assert_num_queries(7):
        finance.get(QUEUE)


def test_finance_sees_what_the_bank_is_deciding_about(finance: Client) -> None:
    seller = PersonFactory.create()
    disputed = earn(seller)
    connect(seller)
    withdrawal = ask_for(seller, 5000)
    page = finance.get(f"{QUEUE}{withdrawal.pk}/decide/")
    assert "The bank is deciding" not in page.text
    charge = disputed.charges.get()
    with transaction.atomic():
        services.take_back(charge, provider_id="dp_1", amount=charge.amount, reason="", at=NOON)
    page = finance.get(f"{QUEUE}{withdrawal.pk}/decide/")
    assert "The bank is deciding about $105.50 of this seller’s payments; $30.00 is frozen." in page.text
