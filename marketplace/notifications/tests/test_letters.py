"""What the e-mails say and how they look (P4)."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import html5lib
import pytest
from django.core import mail as mailbox
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

from marketplace.accounts.tests.factories import UserFactory
from marketplace.notifications import mail
from marketplace.notifications.letters import letter
from marketplace.notifications.models import Digest, Notice
from marketplace.notifications.templatetags.letter import COLORS
from marketplace.notifications.tests.conftest import MailServer
from marketplace.notifications.tests.factories import NoticeFactory

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


def html_of(email: EmailMultiAlternatives) -> str:
    [(content, kind)] = email.alternatives
    assert kind == "text/html"
    html5lib.HTMLParser(strict=True).parse(content)
    return str(content)


def links(html: str) -> dict[str, str]:
    return {label: url for url, label in re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', html)}


@pytest.fixture(autouse=True)
def _site(settings: Settings) -> None:
    settings.SITE_URL = "https://milepost.example/"


def test_a_notice_comes_as_text_and_html_with_the_act_as_a_button_and_the_ways_out(client: Client) -> None:
    notice = NoticeFactory(kind="case_opened", own_text="Because of X.\nAnswer by Tue.", url="/cases/RC-1/?a=1&b=2")
    email = letter(notice)
    html = html_of(email)
    stop = email.extra_headers["List-Unsubscribe"].strip("<>")
    found = links(html)
    assert found["Open the case"] == "https://milepost.example/cases/RC-1/?a=1&amp;b=2"
    assert found["Choose what you get by e-mail"] == "https://milepost.example/notifications/preferences/"
    assert found["No more e-mail about “Cases and support”"] == stop
    assert "Open the case: https://milepost.example/cases/RC-1/?a=1&b=2\n" in email.body
    assert f"No more e-mail about “Cases and support”: {stop}" in email.body
    assert re.findall(r'<p class="m-text"[^>]*>(.*)</p>', html) == ["Because of X.", "Answer by Tue."]
    assert email.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert client.post(stop.removeprefix("https://milepost.example")).status_code == 200
    assert letter(NoticeFactory(recipient=notice.recipient)).extra_headers["List-Unsubscribe"] != f"<{stop}>"


def test_what_people_wrote_is_inert_and_the_subject_is_one_line() -> None:
    notice = NoticeFactory(own_title="<b>Hi</b> & “you”", own_text='<script>x</script>\n<img src="x">')
    Notice.objects.update(own_title="one\r\nBcc: evil@example.org")  # as nothing of ours would store it
    html = html_of(letter(notice))
    assert "&lt;b&gt;Hi&lt;/b&gt; &amp; “you”" in html
    assert "<script" not in html
    assert "<img" not in html
    assert '<img src="x">' in letter(notice).body
    assert mail.send_unsent() == 1
    assert mailbox.outbox[0].subject == "one Bcc: evil@example.org"
    assert mailbox.outbox[0].recipients() == [notice.recipient.email]


def test_the_frame_speaks_the_recipients_language_and_tells_their_time() -> None:
    person = UserFactory(time_zone="Asia/Tokyo", language="en")
    digest = Digest.objects.create(recipient=person, created_at=AT)
    NoticeFactory(recipient=person, digest=digest, created_at=AT)
    email = letter(digest)
    assert "Mon 23 Nov, 23:05" in email.body
    assert "Mon 23 Nov, 23:05" in html_of(email)
    assert '<html lang="en" dir="ltr">' in html_of(email)


def test_a_digest_lists_the_day_in_its_order_with_a_link_for_each() -> None:
    person = UserFactory()
    digest = Digest.objects.create(recipient=person, created_at=AT)
    for hours, title in ((2, "Second & last"), (1, "First")):
        when = AT + timedelta(hours=hours)
        NoticeFactory(recipient=person, digest=digest, own_title=title, created_at=when, url=f"/orders/{hours}/")
    email = letter(digest)
    assert email.subject == "Your daily digest: 2 notices"
    assert re.findall(r"(?m)^\* (.*) \(", email.body) == ["First", "Second & last"]
    found = links(html_of(email))
    assert found["First"] == "https://milepost.example/orders/1/"
    assert found["See all your notices"] == "https://milepost.example/notifications/"
    assert found["No more digests"] == email.extra_headers["List-Unsubscribe"].strip("<>")
    assert letter(digest).extra_headers == email.extra_headers


def test_over_the_wire_come_both_parts_and_the_headers(mail_server: MailServer) -> None:
    NoticeFactory(own_title="Ünï “code”")
    assert mail.send_unsent() == 1
    [message] = mail_server.received
    parts = ("multipart/alternative", "text/plain", "text/html")
    assert [message.index(f"Content-Type: {part}") for part in parts] == sorted(
        message.index(f"Content-Type: {part}") for part in parts
    )
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in message
    assert max(map(len, message.splitlines())) <= 998


def test_the_colors_are_those_of_the_site() -> None:
    tokens = (Path(__file__).resolve().parents[3] / "static" / "tokens.css").read_text()
    theirs = {
        name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", tokens)
    }
    assert {name: theirs[name] for name in COLORS} == COLORS
