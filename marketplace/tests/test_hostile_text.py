"""Text that tries to be markup, in every field that holds text, on the pages that show it, in a real Chromium.

Every text column of ours is filled that has no choices, key or pattern: a new one is filled too, or is named here.
Every day the pages are opened that show the most; with HOSTILE=all every page of the gallery is.
"""

import os
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from marketplace import clock
from marketplace.demo.play import play
from marketplace.notifications.mail import send_unsent
from marketplace.tests.browsing import Person
from marketplace.tests.test_gallery import Pages, everybodys, pages_of, signed_in
from payments import services

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.breaks_promises]

PROBE = "{{7*7}}"
HOSTILE = (
    f'"><img src=x onerror=canary(1)>{PROBE}'  # fits where only a few letters do
    "<script>canary(2)</script><svg onload=canary(3)></svg></textarea></title></style>-->]]>"
    '<iframe srcdoc="<script>parent.canary(4)</script>"></iframe>{% now "Y" %}${7*7}'
    '<a href="javascript:canary(5)">x</a> javascript:canary(6) \' onmouseover=canary(7) \u202e\u2066 '
    'https://example.org/"onfocus=canary(8)autofocus=" <form action=//evil.example><input name=x></form>'
)
OURS = ("accounts", "catalog", "notifications", "orders", "payments", "resolution", "reviews")
# Not text of people: states, keys, patterns, and what programs compare.
WORDS = {
    *("status", "kind", "currency", "key", "number", "slug", "handle", "email", "password", "provider", "provider_id"),
    *("time_zone", "language", "content_type", "sha256", "url", "token", "reference", "code", "event_id", "topic"),
    *("return_url", "action_url", "method", "closed_because", "ended_because", "search", "side", "direction"),
    *("purpose", "session_data"),
}
# An event's reason is what somebody wrote, or the code of why the order ended.
SAVE = {("orders_event", "reason"): "AND kind <> 'ended'"}
EVERY_DAY = {
    *("gig", "seller", "browse", "orders", "notices", "documents", "receipt", "profile", "checkout", "act-revise"),
    *("compare", "file-text", "cases", "open-partial-refund", "sales", "offer-edit", "gig-edit", "my-gigs", "selling"),
    *("order-frozen-delivered-buyer", "order-delivered-again-buyer", "order-offered-seller", "offer", "admin-order"),
    *("admin-case-dispute", "admin-cases", "admin-rule-split", "admin-withhold", "admin-on-behalf-accept"),
}
LISTEN = """
window.reported = [];
document.addEventListener("securitypolicyviolation", (event) => {
    window.reported.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""
INJECTED = """() => [...document.querySelectorAll(
    "[onerror],[onload],[onmouseover],[onfocus],[srcdoc],[href^='javascript:' i],img[src='x'],form[action*='evil']"
)].map((node) => node.outerHTML.slice(0, 200))"""


def hostile_fields() -> list[tuple[str, str, int]]:
    """Table, column and length of each field that holds what somebody wrote."""
    found = []
    for app in OURS:
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.local_fields:
                is_text = isinstance(field, models.CharField | models.TextField) and not isinstance(
                    field, models.SlugField | models.EmailField
                )
                if is_text and not field.choices and not field.unique and field.name not in WORDS:
                    found.append((model._meta.db_table, field.column, field.max_length or 100_000))
    return found


def fill() -> int:
    """Write it into every such column of every row, past the triggers that keep events and ledger as they are."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, column, length in hostile_fields():
            where = f"\"{column}\" <> '' {SAVE.get((table, column), '')}"
            cursor.execute(f'UPDATE "{table}" SET "{column}" = %s WHERE {where}', [HOSTILE[:length]])
    return len(hostile_fields())


class Canary:
    """Hears of whatever runs, is injected or is reported on the pages of a browser."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.sang: list[Any] = []
        self.shown = 0
        page.expose_function("canary", lambda *args: self.sang.append(args))
        page.add_init_script(LISTEN)

    def problems(self, name: str) -> list[str]:
        found = [f"{name}: injected {node}" for node in self.page.evaluate(INJECTED)]
        found += [f"{name}: reported {report}" for report in self.page.evaluate("window.reported || []")]
        found += [f"{name}: it ran: {one}" for one in self.sang]
        self.sang.clear()
        self.shown += PROBE in self.page.content()
        return found


def test_no_text_becomes_markup_on_any_page(browser: Browser, live_server: LiveServer, mailoutbox: Any) -> None:
    cast = play(clock.now())
    services.issue_documents(clock.now())
    everybody = [(Client(), everybodys())]
    everybody += [(signed_in(user), pages_of(user)) for user in (*cast.people.values(), cast.support, cast.finance)]
    assert fill() > 40
    seen: Pages = {}
    problems: list[str] = []
    shown = 0
    for client, pages in everybody:
        person = Person(browser, live_server.url)
        for name, cookie in client.cookies.items():
            person.context.add_cookies([{"name": name, "value": cookie.value, "url": live_server.url}])
        canary = Canary(person.page)
        for name, path in pages.items():
            if name in seen or (name not in EVERY_DAY and os.environ.get("HOSTILE") != "all"):
                continue
            seen[name] = path
            answer = person.page.goto(path)
            assert answer
            assert answer.status in (200, 404), name
            problems += canary.problems(name)
        shown += canary.shown
        person.close()
    assert problems == [], "\n".join(problems)
    assert len(seen) >= len(EVERY_DAY) - 3
    assert shown > len(seen) * 2 // 3, "most pages show what was written"
    send_unsent()
    letters = {
        str(body): mail.subject for mail in mailoutbox for body, kind in mail.alternatives if kind == "text/html"
    }
    person = Person(browser, live_server.url)
    canary = Canary(person.page)
    for html in list(letters)[:20]:
        person.page.set_content(html)
        problems += canary.problems("mail")
        assert "\n" not in letters[html]
    assert problems == []
    assert canary.shown > 0
    # The canary can sing: the same text as markup, on a page without a policy.
    person.page.set_content(HOSTILE)
    person.page.wait_for_timeout(300)
    assert canary.problems("open") != []
    person.close()
