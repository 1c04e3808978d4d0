"""Taking one's data along, and leaving: complete, only for oneself, and without a trace that names the person."""

import json
import re
import tracemalloc
import zipfile
from collections.abc import Generator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.test import Client

from marketplace import clock, tasks
from marketplace.accounts import second_factor
from marketplace.accounts import services as accounts
from marketplace.accounts.models import Session, User
from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.accounts.tests.signing_in import SECRET, sign_in_by_password_alone
from marketplace.catalog import covers
from marketplace.catalog.models import Gig
from marketplace.catalog.tests.factories import GigFactory
from marketplace.notifications.models import CalendarFeed, Notice, Preference
from marketplace.notifications.services import tell
from marketplace.privacy import closing
from marketplace.privacy.closing import close, why_not_close
from marketplace.privacy.exporting import NOT_EXPORTED, PARTS, export
from marketplace.reviews.models import Review
from marketplace.reviews.services import hide_review, publish_due_reviews, write_review
from marketplace.reviews.tests.factories import make_gig, make_reviewed
from marketplace.tests import invariants
from marketplace.tests.visitor import Visitor
from marketplace.withdrawal_notices import tell_withdrawals
from orders import services as orders
from orders.models import Attachment, Order
from orders.tests.factories import NOON, after, at, checked_file, current, fresh, make_offer, make_placed, planned
from payments import services
from payments.models import Account, SavedCard, Withdrawal
from payments.tests.steps import ask_for, connect
from resolution.models import Reason
from resolution.services import open_case, withdraw_case

pytestmark = pytest.mark.django_db(transaction=True)

BACKEND = "django.contrib.auth.backends.ModelBackend"
NAME, EMAIL, HANDLE = "Zephyrina Quagmire", "zephyrina.q@canary.example", "zephyrina-quagmire"
CANARY = re.compile(r"zephyrina|quagmire|canary\.example|whispered in the profile", re.IGNORECASE)
LATE = {"days": 60}


@pytest.fixture(autouse=True)
def _noon_and_proven() -> Generator[None, None, None]:
    with clock.at(NOON):
        yield
    assert invariants.check() == []


@pytest.fixture
def zephyrina() -> User:
    person: User = UserFactory.create(name=NAME, email=EMAIL, password=PASSWORD, about="Whispered in the profile.")
    assert person.handle == HANDLE
    accounts.confirm_email(person)
    return person


def live(person: User) -> tuple[Order, Order]:
    """A whole life: an order as buyer and one as seller, both ended, and a trace in every corner that keeps people."""
    GigFactory.create(seller=person, title=f"Maps by {NAME}", description="Ask Zephyrina for anything.")
    orders.ask_offer(by=person, seller=UserFactory.create(name="Theo"), text=f"I am {NAME}, can you help?")
    plan = [planned()]
    bought = make_placed(buyer=person, seller=UserFactory.create(name="Bo"), plan=plan)
    sold = make_placed(buyer=UserFactory.create(name="Cy"), seller=person, plan=plan)
    for order in (bought, sold):
        files = [checked_file("plan.png")]
        orders.send_message(order, by=order.buyer, text="How is it going?", files=files)
        orders.send_message(order, by=order.seller, text="Well. Nearly done.")
        reason = Reason.objects.get(code="agreed_by_both")
        case = open_case(fresh(order), by=order.buyer, kind="cancel_milestone", reason=reason, statement="Let us stop.")
        withdraw_case(case, by=order.buyer)
        orders.deliver(current(fresh(order)), by=order.seller, message="Here it is.")
        orders.accept(current(order), by=order.buyer)
        for side in (order.buyer, order.seller):
            write_review(fresh(order), by=side, rating=5, text="A pleasure.")
    publish_due_reviews()
    SavedCard.objects.create(
        owner=person, provider="sandbox", provider_id="saved-1", label="Zephyrina's Visa 4242", created_at=NOON
    )
    services.issue_documents(clock.now())
    CalendarFeed.objects.create(owner=person)
    Preference.objects.create(person=person, topic="messages", by_mail="daily")
    second_factor.set_up(person, SECRET)
    EmailAddress.objects.create(user=person, email="other@canary.example", verified=True)
    kind = ContentType.objects.get_for_model(User)
    root = User.objects.create_superuser("root@example.org", name="Root")
    LogEntry.objects.create(
        user=root, content_type=kind, object_id=str(person.pk), object_repr=NAME, action_flag=CHANGE, change_message="x"
    )
    return fresh(bought), fresh(sold)


def take_the_money_out(person: User) -> Withdrawal:
    connect(person, at=clock.now())
    services.clear_earnings(at=clock.now())
    withdrawal = ask_for(person, amount=services.balance(person, "USD"), at=clock.now())
    staff = User.objects.get(email="root@example.org")
    with transaction.atomic():
        services.approve_withdrawal(withdrawal, by=staff, at=clock.now())
    services.settle_withdrawals(at=clock.now())
    return withdrawal


def texts_that_name() -> dict[str, int]:
    """Every column of text or JSON in which the person can still be read, with the number of rows."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'tsvector')"
        )
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ~* %s', [CANARY.pattern])
            if count := cursor.fetchone()[0]:
                found[f"{table}.{column}"] = count
    return found


def unpacked(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {
            name.removesuffix(".json"): json.loads(archive.read(name))
            for name in archive.namelist()
            if name.endswith(".json")
        }


def taken_along(who: User) -> dict[str, Any]:
    return unpacked(b"".join(export(who, site="Milepost", address="https://example.org", at=NOON)))


# Taking it along


def test_every_relation_to_a_person_is_exported_or_says_why_not() -> None:
    relations = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many)
        if field.related_model is User or (model is User and field.many_to_many)
    }
    exported = {relation for part in PARTS for relation in part.covers}
    assert relations - exported - NOT_EXPORTED.keys() == set()
    assert (exported | NOT_EXPORTED.keys()) - relations == set()


def test_what_one_takes_along_is_all_of_it_and_opens_no_door(zephyrina: User, client: Client) -> None:
    bought, sold = live(zephyrina)
    with at(**LATE):
        take_the_money_out(zephyrina)
        stranger = make_placed(buyer=UserFactory.create(), seller=UserFactory.create())
        orders.send_message(stranger, by=stranger.buyer, text="Not hers to read.")
        client.force_login(zephyrina, backend=BACKEND)
        answer = client.post("/profile/data/download/")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
        assert answer["Content-Disposition"].startswith('attachment; filename="127.0.0.1-zephyrina-quagmire-')
        assert "no-store" in answer["Cache-Control"]
        content = b"".join(answer.streaming_content)
    data = unpacked(content)
    empty = {name for name, rows in data.items() if not rows}
    assert empty == {"refunds", "digests", "case-messages"}
    assert data["account"][0]["email"] == EMAIL
    assert {row["email"] for row in data["addresses"]} == {EMAIL, "other@canary.example"}
    assert {row["number"] for row in data["orders"]} == {bought.number, sold.number}
    assert [row["text"] for row in data["messages"]] == ["How is it going?", "Well. Nearly done."] * 2
    assert len(data["reviews"]) == 4
    assert [row["amount"] for row in data["withdrawals"]] == [8000]
    written = json.dumps(data)
    for secret in (SECRET, zephyrina.password, zephyrina.calendar_feed.token, "Not hers to read."):
        assert secret not in written
    assert "argon2" not in written


def test_why_the_bank_declined_is_taken_along_by_the_buyer_alone(zephyrina: User) -> None:
    other = UserFactory.create()
    for buyer, seller in ((zephyrina, other), (other, zephyrina)):
        orders.place(make_offer(buyer=buyer, seller=seller), by=buyer, method="card_declined")
    activity = taken_along(zephyrina)["activity"]
    reasons = [row["reason"] for row in activity if row["kind"] == "payment_failed"]
    assert len(reasons) == 1
    assert reasons[0]


def test_a_review_that_support_hid_is_taken_along_by_whoever_wrote_it_alone(zephyrina: User) -> None:
    def reviews_of(who: User) -> list[str]:
        return sorted(review["text"] for review in taken_along(who)["reviews"])

    order = make_reviewed(make_gig(seller=zephyrina), rating=1, text="Her telephone is 555 0100.")
    assert reviews_of(zephyrina) == ["", "Her telephone is 555 0100."]
    hide_review(
        Review.objects.get(author=order.buyer), by=UserFactory(is_staff=True), reason="It tells a telephone number."
    )
    assert reviews_of(zephyrina) == [""]
    assert reviews_of(order.buyer) == ["", "Her telephone is 555 0100."]


def test_a_large_export_reads_its_rows_piece_by_piece(zephyrina: User) -> None:
    """The greatest number of rows that a query fetches at once is that of a piece."""
    order = make_offer(buyer=zephyrina, seller=UserFactory.create())
    orders.send_message(order, by=zephyrina, text="Zero")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_message (order_id, author_id, text, sent_at)"
            " SELECT %s, %s, repeat(md5(n::text), 300), now() FROM generate_series(1, 1500) AS n",
            [order.pk, zephyrina.pk],
        )
    pieces = list(export(zephyrina, site="Milepost", address="https://example.org", at=NOON))
    assert len(unpacked(b"".join(pieces))["messages"]) == 1501


def test_the_files_that_one_sent_come_along_as_they_are_and_are_never_whole_in_memory(zephyrina: User) -> None:
    bought, sold = live(zephyrina)
    large = b"\0" * 30_000_000
    orders.send_message(bought, by=zephyrina, text="See.", files=[checked_file("../a b=1.txt", b"mine")])
    orders.send_message(bought, by=bought.seller, text="See.", files=[checked_file("theirs.txt", b"theirs")])
    orders.send_message(sold, by=zephyrina, text="See.", files=[checked_file(f"{name}.txt") for name in "xyz"])
    whole, withheld, lost = Attachment.objects.filter(order=sold).order_by("-pk")[:3]
    Path(whole.file.path).write_bytes(large)
    orders.withhold_file(withheld, by=User.objects.get(email="root@example.org"), reason="Not theirs")
    Path(lost.file.path).unlink()
    content = BytesIO()
    tracemalloc.start()
    for piece in export(zephyrina, site="Milepost", address="https://example.org", at=NOON):
        content.write(piece)
        assert len(piece) < 1_000_000
    held = tracemalloc.get_traced_memory()[1] - len(content.getbuffer())
    tracemalloc.stop()
    assert held < 20_000_000
    with zipfile.ZipFile(content) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist() if name.startswith("files/")}
    mine = Attachment.objects.get(order=bought, name__endswith="1.txt")
    assert files.pop(f"files/{bought.number}/{mine.pk}-a_b1.txt") == b"mine"
    assert files.pop(f"files/{sold.number}/{whole.pk}-z.txt") == large
    assert files.pop(f"files/{sold.number}/{lost.pk}-x.txt") == b""
    assert len(files) == 1, "the picture that was sent in her order as buyer"
    assert "theirs" not in str(files)


@pytest.mark.parametrize("address", ["/profile/data/download/", "/profile/close/"])
def test_both_ask_who_one_is(zephyrina: User, client: Client, address: str) -> None:
    assert client.post(address)["Location"].startswith("/accounts/login/")
    sign_in_by_password_alone(client, zephyrina, BACKEND)
    assert client.post(address)["Location"].startswith("/accounts/reauthenticate/")
    assert client.get("/profile/data/download/").status_code == 405


# Leaving


def test_what_is_open_keeps_an_account_open(zephyrina: User) -> None:
    order = make_placed(buyer=UserFactory.create(), seller=zephyrina, plan=[planned()])
    reason = Reason.objects.get(code="agreed_by_both")
    case = open_case(order, by=order.buyer, kind="cancel_milestone", reason=reason, statement="Let us stop.")
    assert why_not_close(zephyrina) == [
        "Orders are open. Finish, stop, decline or withdraw them first.",
        "A case is open. It has to be decided first.",
    ]
    withdraw_case(case, by=order.buyer)
    orders.deliver(current(fresh(order)), by=zephyrina, message="Here.")
    orders.accept(current(order), by=order.buyer)
    money = "There is money in your account, or you owe some. Withdraw, spend or pay it first."
    assert why_not_close(zephyrina) == [money]
    with at(**LATE):
        connect(zephyrina, at=clock.now())
        services.clear_earnings(at=clock.now())
        withdrawal = ask_for(zephyrina, amount=8000, at=clock.now())
        assert why_not_close(zephyrina) == ["A withdrawal is under way."]
        with transaction.atomic():
            services.cancel_withdrawal(withdrawal, by=zephyrina, at=clock.now())
    visitor = Visitor(zephyrina)
    page = visitor.open("/profile/data/")
    assert page.refusal[-1] == money
    assert visitor.client.post("/profile/close/", {"email": EMAIL}).status_code == 409
    with pytest.raises(accounts.AccountError, match="There is money"):
        close(zephyrina)
    zephyrina.refresh_from_db()
    assert (zephyrina.is_active, zephyrina.name) == (True, NAME)
    assert why_not_close(User.objects.create_superuser("s@example.org", name="S")) == [
        "This is an account of staff. A superuser takes the rights away first."
    ]


def test_whoever_leaves_is_named_nowhere_and_the_others_keep_what_is_theirs(zephyrina: User) -> None:
    bought, sold = live(zephyrina)
    other_device = Client()
    other_device.force_login(zephyrina, backend=BACKEND)
    with at(**LATE):
        take_the_money_out(zephyrina)
        tell_withdrawals()
        with at(days=61):
            services.settle_withdrawals(at=clock.now())
            money = before = Account.objects.with_balance().filter(owner=zephyrina).values_list("pk", "balance")
            before = list(before)
            others = Visitor(bought.seller).open(bought.get_absolute_url())
            assert any(NAME in words for words in others.words())
            visitor = Visitor(zephyrina)
            visitor.open("/profile/data/")
            visitor.follow("Close your account")
            page = visitor.press("Close it for good", email="somebody@else.example")
            assert (page.status, visitor.page.words(cls="field__error")) == (
                422,
                ["This is not the address of your account."],
            )
            page = visitor.press("Close it for good", email=EMAIL.upper())
            assert (page.path, page.told) == ("/", ["Your account is closed. Thank you for having been here."])
    Session.objects.all().delete()  # those that run out are forgotten by the clock, see below
    left = texts_that_name()
    assert left == {"payments_document.content": left.get("payments_document.content")}  # papers stay as issued
    assert list(money) == before
    assert other_device.get("/profile/").status_code == 302
    assert Visitor.nobody().open(f"/sellers/{HANDLE}/").status == 404
    assert not Gig.objects.for_sale().filter(seller=zephyrina).exists()
    for order, other in ((bought, bought.seller), (sold, sold.buyer)):
        page = Visitor(other).open(order.get_absolute_url())
        shown = " ".join(page.words("body"))
        assert page.status == 200
        for words in ("How is it going?", "Well. Nearly done.", "Closed account"):
            assert words in shown
        assert not CANARY.search(page.response.text)
    again = Visitor.nobody()
    again.open("/accounts/login/")
    again.press("Sign in", login=EMAIL, password=PASSWORD)
    assert "_auth_user_id" not in again.client.session
    root = User.objects.get(email="root@example.org")
    with pytest.raises(accounts.AccountError, match="closed this account for good"):
        accounts.reactivate(zephyrina, by=root)
    assert UserFactory.create(email=EMAIL).pk  # the address is free again


def test_the_pictures_of_gigs_go_with_the_commit_and_not_before(
    zephyrina: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    cover = default_storage.save(covers.new_name(), ContentFile(b"a picture"))
    gig = GigFactory.create(seller=zephyrina, cover=cover)
    with monkeypatch.context() as broken:
        broken.setattr(closing, "_forget", Mock(side_effect=RuntimeError))
        with pytest.raises(RuntimeError):
            close(zephyrina)
    assert default_storage.exists(cover)
    close(zephyrina)
    assert not default_storage.exists(cover)
    gig.refresh_from_db()
    assert (gig.title, gig.slug, gig.cover.name) == ("Closed account", f"closed-{gig.pk}", "")


@pytest.mark.parametrize("name", ["Al", "Al (the map-maker) [x] a.b", "Ål", "A|l*", "\\1 & co"])
def test_a_name_is_taken_out_of_notices_as_a_word_of_its_own(name: str) -> None:
    seller, staff = UserFactory.create(name=name), UserFactory.create(is_staff=True)
    told = {"kind": "finance", "url": "/", "key": "withdrawal:1", "at": NOON}
    tell([staff], title=f"{name} asks for $80.00", text=f"Also: ask {name}, not Albert. {name}", **told)
    close(seller)
    notice = Notice.objects.get(recipient=staff)
    assert notice.own_title == "Closed account asks for $80.00"
    assert notice.own_text == "Also: ask Closed account, not Albert. Closed account"


def test_sessions_that_ran_out_are_forgotten(zephyrina: User) -> None:
    for _ in range(2):
        Client().force_login(zephyrina, backend=BACKEND)
    Session.objects.filter(pk=Session.objects.first().pk).update(expire_date=after(days=-20000) + timedelta(0))
    tasks.forget_ended_sessions()
    assert Session.objects.count() == 1
