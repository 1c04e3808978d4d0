"""Bytes, numbers and fields that no page of ours sends, at every address: never an error of ours, never a change."""

import os
from collections.abc import Iterator
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.client import BOUNDARY, MULTIPART_CONTENT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.tests.doors import PART, Door, address
from marketplace.tests.doors.data import Thing
from marketplace.tests.doors.walking import Walker, changed_rows, rows, undone
from marketplace.tests.test_doors import DOORS, ROUTES

pytestmark = pytest.mark.django_db

IN_ADDRESSES = (
    "0",
    "-1",
    str(2**31),
    str(2**63),
    "9" * 400,
    "NaN",
    "1e309",
    "%00",
    "a%00b",
    "%FF%FE",
    "%ED%A0%80",
    "%F0%9F%98%80",
    "%0D%0ASet-Cookie:%20a=b",
    "..%2F..%2Fetc%2Fpasswd",
    "%E2%80%AE",
    "a" * 3_000,
)
ALL = bool(os.environ.get("HOSTILE"))
IN_FIELDS = (str(2**63), "-1", "1e309", "NaN", "a\x00b", "\u202e😀\r\nX: y", "x" * 20_000, b"\xed\xa0\x80\xff", "")
# What some page of the site reads of its address, besides what admin does.
QUERY = (
    *("before", "after", "reviews_before", "reviews_after", "show", "talk", "oldest", "q", "state", "category"),
    *("currency", "least", "greatest", "days", "rating", "order", "request", "left", "right", "topic", "unread"),
    *("next", "return", "example", "buyer", "month", "year", "from", "to", "seen"),
    *("o", "p", "e", "all", "_to_field", "_popup", "_changelist_filters", "id", "pk__in", "term"),
)
ADMIN = ("admin:orders_order_", "admin:payments_document_", "admin:accounts_user_", "admin:resolution_case_")


def doors(method: str) -> Iterator[tuple[Door, str]]:
    """One door of each address that lets somebody in, in the role that gets furthest; of admin's lists some."""
    seen = set()
    for door in DOORS:
        alike = door.name.startswith("admin") and not door.name.startswith(ADMIN) and door.thing == "row"
        role = "superuser" if door.name.startswith("admin") else ("buyer", "seller")[door.cells["buyer"] in REFUSED]
        if door.method == method and door.name not in seen and not alike and door.cells[role] not in REFUSED:
            seen.add(door.name)
            yield door, role


REFUSED = ("403", "404", "405")
FORMS = list(doors("POST"))
PAGES = list(doors("GET"))


def in_turn(found: list[tuple[Door, str]], nth: int) -> list[tuple[Door, str]]:
    """Every third door, from another one for each value: in a day each meets one in three values."""
    return found if ALL else found[nth % 3 :: 3]


def ask(walker: Walker, door: Door, role: str, path: str = "", **sent: Any) -> str:
    """What comes of a request, and whether it changed anything; undone."""
    thing = walker.world.of(door.thing, ROUTES[door.name])
    client = walker.client(role, thing)
    path = path or address(ROUTES[door.name], thing)
    with undone():
        before = changed_rows()
        response: Any = client.generic(door.method, path, **sent) if "data" in sent else client.get(path, **sent)
        said = status(response)
        changed = changed_rows() != before and rows() != walker.rows[0]
    return f"{said}{'!' if changed else ''}"


def status(response: Any) -> str:
    """Of an answer that was read to its end, which closes the file that it may come from."""
    if response.streaming:
        b"".join(response.streaming_content)
    return str(response.status_code)


def form(sent: dict[str, Any]) -> dict[str, Any]:
    """A form's fields as a browser sends them, but byte by byte."""
    data = b""
    for name, typed in sent.items():
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        data += head.encode() + (typed if isinstance(typed, bytes) else as_bytes(str(typed))) + b"\r\n"
    return {"data": data + f"--{BOUNDARY}--\r\n".encode(), "content_type": MULTIPART_CONTENT}


def as_bytes(typed: str) -> bytes:
    """Halves of pairs too, which are no text."""
    return typed.encode("utf-8", "surrogatepass")


def broken(answers: list[tuple[str, str]], *, may_change: bool = False) -> list[str]:
    return [f"{what[:200]}: {said}" for what, said in answers if said[0] == "5" or ("!" in said and not may_change)]


def test_no_part_of_an_address_breaks_a_page(walker: Walker) -> None:
    answers = []
    for nth, value in enumerate(IN_ADDRESSES):
        for door, role in in_turn(PAGES, nth):
            thing = walker.world.of(door.thing, ROUTES[door.name])
            for part in {found[1] or found[2] for found in PART.finditer(ROUTES[door.name])}:
                path = address(ROUTES[door.name], Thing(thing.buyer, thing.seller, {**thing.parts, part: value}))
                answers.append((f"{door.name} {part}={value}", ask(walker, door, role, path)))
    assert broken(answers) == []
    assert len(answers) > (1_000 if ALL else 300)


IN_QUERIES = (str(2**63), "%00", "%FF%ED%A0%80", "-1e309&a[b][c]=1", "%F0%9F%98%80" * 300)


@pytest.mark.parametrize(("nth", "value"), list(enumerate(IN_QUERIES)))
def test_nothing_that_is_asked_for_breaks_a_page(nth: int, value: str, walker: Walker) -> None:
    asked = "&".join(f"{name}={value}" for name in QUERY)
    answers = []
    for door, role in in_turn(PAGES, nth):
        path = address(ROUTES[door.name], walker.world.of(door.thing, ROUTES[door.name]))
        answers.append((f"{door.name}?{value}", ask(walker, door, role, f"{path.partition('?')[0]}?{asked}")))
    assert broken(answers) == []


@pytest.mark.parametrize(("nth", "value"), list(enumerate(IN_FIELDS)), ids=lambda value: repr(value)[:20])
def test_nothing_that_is_typed_breaks_a_form(nth: int, value: str | bytes, walker: Walker) -> None:
    answers = []
    for door, role in in_turn(FORMS, nth):
        cache.clear()
        thing = walker.world.of(door.thing, ROUTES[door.name])
        body = walker.body(thing)
        sent = {name: body[name] if name == "version" else value for name in body}
        answers.append((f"{door} {value!r}", ask(walker, door, role, **form(sent))))
    assert broken(answers, may_change=True) == []


TYPED = st.one_of(
    st.text(max_size=60),
    st.binary(max_size=60),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
    st.datetimes().map(str),
    st.sampled_from(IN_FIELDS),
)


@settings(
    max_examples=2_000 if ALL else 60,
    deadline=None,
    derandomize=not ALL,
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_nothing_that_is_drawn_breaks_a_form(walker: Walker, data: st.DataObject) -> None:
    door, role = data.draw(st.sampled_from(FORMS))
    cache.clear()
    valid = walker.body(walker.world.of(door.thing, ROUTES[door.name]))
    drawn = data.draw(st.lists(st.sampled_from(sorted(valid)), min_size=1, max_size=4, unique=True))
    sent = valid | {name: data.draw(TYPED) for name in drawn}
    assert broken([(str(door), ask(walker, door, role, **form(sent)))], may_change=True) == []


@pytest.mark.parametrize(("nth", "method"), list(enumerate(["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])))
def test_no_other_method_breaks_or_changes_anything(nth: int, method: str, walker: Walker) -> None:
    answers = []
    for door, role in in_turn(PAGES + FORMS, nth):
        cache.clear()
        sent = form(walker.body(walker.world.of(door.thing, ROUTES[door.name])))
        answers.append((f"{method} {door.name}", ask(walker, replace(door, method=method), role, **sent)))
    assert broken(answers) == []
    assert len(answers) > (200 if ALL else 60)


BODIES = (
    (b"{" * 5_000, "application/json"),
    (b"version=1&" * 10_001, "application/x-www-form-urlencoded"),
    (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a\r\n\r\nbroken',
        "multipart/form-data; boundary=x",
    ),
    (b"a", "multipart/form-data; boundary=" + "y" * 200),
    (b"text=%FF%FE&version=%00", "application/x-www-form-urlencoded; charset=no-such"),
    (b"\xff\xfe<a/>", "text/xml; charset=utf-16"),
)


@pytest.mark.parametrize("nth", range(len(BODIES)), ids=[kind[:30] for _, kind in BODIES])
def test_no_body_breaks_a_form(nth: int, walker: Walker) -> None:
    data, kind = BODIES[nth]
    answers = []
    for door, role in in_turn(FORMS, nth):
        cache.clear()
        answers.append((str(door), ask(walker, door, role, data=data, content_type=kind)))
    assert broken(answers, may_change=True) == []


HEADERS = (
    {"Range": "bytes=" + "0-1," * 500 + "9"},
    {"If-None-Match": '"' * 999, "If-Modified-Since": "yesterday", "If-Range": "\x01"},
    {"Accept-Language": "xx-" * 900, "Accept": "*/*;q=NaN", "Accept-Encoding": ",,,;q"},
    {"HX-Request": "true", "HX-Current-URL": "javascript:alert(1)", "Referer": "\udce9://[::"},
    {"X-Forwarded-For": "1.2.3.4, <script>", "X-Forwarded-Proto": "gopher", "Content-Length": "-1"},
)
COOKIES = (
    {"sessionid": "x" * 4_000, "csrftoken": "\x7f", "messages": "[[broken", "django_language": "../../etc"},
    {"sessionid": "' OR 1=1 --", "csrftoken": "", "messages": "\xe9" * 50, "django_language": "\xad"},
)
READ = (
    "home",
    "order",
    "order_changes",
    "orders:file",
    "orders:inline",
    "catalog:cover",
    "catalog:browse",
    "account_login",
)


def test_no_header_or_cookie_breaks_a_page(walker: Walker) -> None:
    answers = []
    for door, role in PAGES:
        if door.name in READ:
            for sent in HEADERS:
                sent = {
                    name: value.encode("utf-8", "surrogateescape").decode("latin-1") for name, value in sent.items()
                }
                answers.append((f"{door.name} {sent}", ask(walker, door, role, headers=sent)))
            for cookies in COOKIES:
                walker.one.cookies = SimpleCookie(cookies)
                path = address(ROUTES[door.name], walker.world.of(door.thing))
                answers.append((f"{door.name} {cookies}", status(walker.one.get(path))))
    assert broken(answers) == []
    assert len(answers) == len(READ) * (len(HEADERS) + len(COOKIES))


FORGED = {
    **dict.fromkeys(("price", "amount", "fee", "seller_fee", "buyer_fee", "commission", "rest", "total"), "1"),
    **dict.fromkeys(("status", "state"), "completed"),
    **dict.fromkeys(("is_staff", "is_superuser", "is_active", "funded", "verified", "primary", "hidden"), "on"),
    **dict.fromkeys(("decide_by", "deliver_by", "answer_by", "ended_at", "paused_at", "created_at"), "2099-01-01"),
    **dict.fromkeys(("id", "pk", "owner", "author", "recipient", "order", "terms", "milestone", "groups"), "1"),
    **dict.fromkeys(("email", "handle", "password"), "forged@example.com"),
}
# What no form of the two sides shows; a milestone's price and a case's amount are asked for by forms of their own.
KEPT = """
SELECT 'order', o.status, o.buyer_id, o.seller_id, o.currency, o.decide_by::text, o.terms_id FROM orders_order o
UNION ALL SELECT 'milestone', m.status, m.order_id, m.price, m.position::text, m.deliver_by::text, 0
    FROM orders_milestone m WHERE m.order_id <= %(newest)s
UNION ALL SELECT 'person', u.email, u.is_staff::int, u.is_superuser::int, u.handle, u.is_active::text, 0
    FROM accounts_user u
UNION ALL SELECT 'gig', g.status, g.seller_id, g.price, g.currency, g.slug, g.delivery_days FROM catalog_gig g
UNION ALL SELECT 'charge', c.provider, c.amount, c.credit, c.funded::text, '', 0 FROM payments_charge c
UNION ALL SELECT 'transfer', '', t.amount, 0, '', '', 0 FROM payments_transfer t
ORDER BY 1, 2, 3, 4, 5, 6, 7
"""


def test_fields_that_a_form_does_not_show_change_nothing(walker: Walker) -> None:
    """The same form with and without them leaves the same states, prices, people and sums."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM orders_order")
        newest = cursor.fetchone()[0]
        for door in DOORS:
            for role in ("buyer", "seller"):
                if door.method == "POST" and door.cells[role].endswith("!"):
                    kept = []
                    for forged in ({}, FORGED):
                        thing = walker.world.of(door.thing, ROUTES[door.name])
                        sent = {**forged, **walker.body(thing)}
                        client = walker.client(role, thing)
                        with undone():
                            client.post(address(ROUTES[door.name], thing), sent)
                            cursor.execute(KEPT, {"newest": newest})
                            kept.append(cursor.fetchall())
                    found.append((str(door), role, kept[0] == kept[1]))
    assert [one for one in found if not one[2]] == []
    assert len(found) > 50


OUTSIDE = (
    "//evil.example",
    "https://evil.example",
    "///evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "\thttps://evil.example",
)


@pytest.mark.parametrize("place", OUTSIDE)
def test_what_comes_next_stays_on_the_site(place: str, walker: Walker) -> None:
    cast, client = walker.world.cast, walker.one
    things = walker.world.of
    led = []
    for path, role, posted in (
        ("/accounts/login/", "anonymous", {"login": cast["ana"].email, "password": "milestone-demo"}),
        ("/accounts/logout/", "buyer", {}),
        ("/language/", "buyer", {"language": "es"}),
        ("/admin/login/", "superuser", None),
        (address(ROUTES["payments:sandbox_authenticate"], things("bank-question")), "buyer", {"answer": "approve"}),
        (address(ROUTES["payments:sandbox_bank"], things("bank-account")), "seller", {"account": "bank_ok"}),
    ):
        client = walker.client(role, things("-"))
        wanted = {"next": place, "return": place}
        with undone():
            cache.clear()
            response: Any = (
                client.get(path, wanted) if posted is None else client.post(path, posted | wanted, query_params=wanted)
            )
        led.append((path, response.status_code, response.get("Location", "")))
    assert [one for one in led if one[1] != 302 or not one[2].startswith("/") or one[2].startswith(("//", "/\\"))] == []
