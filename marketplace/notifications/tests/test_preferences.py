"""How each person wants to be told, and how e-mails stop with one click (P4)."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.notifications import mail, preferences, services
from marketplace.notifications.models import CalendarFeed, Notice, Preference
from marketplace.notifications.preferences import Wish, choose, next_digest, stop_token
from marketplace.notifications.topics import Topic

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
PAGE = "/notifications/preferences/"


@pytest.fixture
def ana(client: Client) -> User:
    person = UserFactory(name="Ana Ruiz", time_zone="Europe/Madrid")
    client.force_login(person)
    return person


def tell(person: User, kind: str, key: str = "") -> Notice:
    with clock.at(AT):
        services.tell([person], kind=kind, title=kind, text="", url="/", key=key or kind, at=AT)
    return Notice.objects.get(recipient=person, key=key or kind)


def filled_in(page: str) -> dict[str, str]:
    """What the form posts when nothing on it is touched."""
    boxes = re.findall(r'<input type="(radio|checkbox)" name="([^"]+)"(?: value="([^"]*)")?[^>]* checked[^>]*>', page)
    return {name: value or "on" for _, name, value in boxes}


def test_who_never_chose_is_mailed_at_once_and_counts_everything(client: Client, ana: User) -> None:
    notice = tell(ana, "accepted")
    assert (notice.next_attempt_at, notice.digest_due_at, notice.read_at) == (AT, None, None)
    chosen = filled_in(client.get(PAGE).text)
    topics = ["to-do", "orders", "messages", "cases", "money", "reviews"]
    assert chosen == {f"{topic}-mail": "at_once" for topic in topics} | {"orders-count": "on", "reviews-count": "on"}


def test_choices_are_kept_and_followed(client: Client, ana: User) -> None:
    chosen = filled_in(client.get(PAGE).text) | {"messages-mail": "daily", "money-mail": "never"}
    del chosen["orders-count"]
    assert client.post(PAGE, chosen)["Location"] == PAGE
    assert filled_in(client.get(PAGE).text) == chosen
    message, refund, ended = tell(ana, "message"), tell(ana, "partly_refunded"), tell(ana, "ended")
    eight = datetime(2026, 11, 24, 7, tzinfo=UTC)  # in Madrid
    assert (message.next_attempt_at, message.digest_due_at, message.read_at) == (None, eight, None)
    assert (refund.next_attempt_at, refund.digest_due_at, refund.read_at) == (None, None, None)
    assert (ended.next_attempt_at, ended.read_at) == (AT, AT)
    others = tell(UserFactory(), "message", key="others")
    assert others.next_attempt_at == AT


def test_only_staff_choose_about_finance_alarms(client: Client, ana: User) -> None:
    assert "Finance alarms" not in client.get(PAGE).text
    User.objects.filter(pk=ana.pk).update(is_staff=True)
    assert filled_in(client.get(PAGE).text)["staff-mail"] == "at_once"


@pytest.mark.parametrize("posted", [{}, {"to-do-mail": "sometimes"}])
def test_a_forged_form_changes_nothing(client: Client, ana: User, posted: dict[str, str]) -> None:
    assert client.post(PAGE, posted).status_code == 422
    assert Preference.objects.count() == 0


def test_what_is_switched_off_and_not_mailed_yet_is_not_mailed_any_more(ana: User) -> None:
    kept, dropped = tell(ana, "delivered"), tell(ana, "message")
    choose(ana, {Topic.MESSAGES: Wish("never")})
    with clock.at(AT):
        assert mail.send_unsent() == 1
    assert list(Notice.objects.filter(emailed_at=None)) == [dropped]
    assert Notice.objects.unread().count() == 2
    assert kept.kind == "delivered"


@pytest.mark.parametrize(
    ("zone", "after", "due"),
    [
        ("UTC", "2026-11-23T07:59:59", "2026-11-23T08:00"),
        ("UTC", "2026-11-23T08:00", "2026-11-24T08:00"),
        ("Asia/Tokyo", "2026-11-23T22:59", "2026-11-23T23:00"),
        ("America/New_York", "2026-11-23T14:00", "2026-11-24T13:00"),
        # The clocks change in the night: still at 8:00 on the wall.
        ("Europe/Madrid", "2026-10-24T12:00", "2026-10-25T07:00"),
        ("Europe/Madrid", "2026-03-28T12:00", "2026-03-29T06:00"),
    ],
)
def test_the_digest_is_due_at_eight_in_the_persons_zone(zone: str, after: str, due: str) -> None:
    found = next_digest(zone, datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found.astimezone(UTC) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_e_mails_of_a_topic_stop_with_one_click_and_without_signing_in(ana: User) -> None:
    waiting = tell(ana, "message")
    strangers = Client(enforce_csrf_checks=True)
    address = f"/notifications/stop/{stop_token(ana.pk, 'messages')}/"
    asked = strangers.get(address)
    assert (asked.status_code, Preference.objects.count()) == (200, 0)
    assert "Ana" not in asked.text
    assert "no-store" in asked["Cache-Control"]
    # As a mail program posts it (RFC 8058), twice.
    answers = [strangers.post(address, {"List-Unsubscribe": "One-Click"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "no more e-mail about “Messages”" in answers[0].text
    assert list(Preference.objects.values_list("person", "topic", "by_mail")) == [(ana.pk, "messages", "never")]
    waiting.refresh_from_db()
    assert waiting.next_attempt_at is None
    assert tell(ana, "message", key="later").next_attempt_at is None
    assert tell(ana, "delivered").next_attempt_at == AT


def test_the_digest_stops_with_one_click_and_leaves_what_comes_at_once(client: Client, ana: User) -> None:
    choose(ana, {Topic.MONEY: Wish("daily"), Topic.ORDERS: Wish("daily", quiet=True), Topic.CASES: Wish("at_once")})
    waiting = tell(ana, "ended")
    assert client.post(f"/notifications/stop/{stop_token(ana.pk, 'digest')}/").status_code == 200
    found = Preference.objects.order_by("topic").values_list("topic", "by_mail", "quiet")
    assert list(found) == [("cases", "at_once", False), ("money", "never", False), ("orders", "never", True)]
    waiting.refresh_from_db()
    assert waiting.digest_due_at is None


def test_an_address_that_is_not_ours_stops_nothing(client: Client, ana: User) -> None:
    token = stop_token(ana.pk, "messages")
    forged = [token.replace("messages", "money"), f"{ana.pk}-messages", "x", token[:-1], stop_token(ana.pk, "nonsense")]
    for each in (*forged, stop_token(2**40, "messages")):
        assert client.post(f"/notifications/stop/{each}/").status_code == 404
    assert Preference.objects.count() == 0


def test_the_address_of_the_calendar_is_made_made_anew_and_removed(client: Client, ana: User) -> None:
    assert client.get(PAGE).context["address"] == ""
    assert client.get(f"{PAGE}calendar/").status_code == 405
    tokens = []
    for _ in range(2):
        client.post(f"{PAGE}calendar/")
        tokens.append(CalendarFeed.objects.get().token)
        assert f"/calendar/{tokens[-1]}.ics" in client.get(PAGE).text
    assert len(set(tokens)) == 2
    assert client.get(f"/calendar/{tokens[0]}.ics").status_code == 404
    client.post(f"{PAGE}calendar/", {"remove": "1"})
    assert CalendarFeed.objects.count() == 0


def test_a_quiet_topic_is_listed_and_not_counted(client: Client, ana: User) -> None:
    preferences.choose(ana, {Topic.ORDERS: Wish("never", quiet=True)})
    tell(ana, "ended")
    with clock.at(AT + timedelta(hours=1)):
        page = client.get("/notifications/")
    assert [notice.kind for notice in page.context["page"]] == ["ended"]
    assert 'class="count"' not in page.text
