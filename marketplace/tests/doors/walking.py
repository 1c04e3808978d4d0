"""Goes through a door in a role, and tells what was answered and whether anything was changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.cookies import SimpleCookie
from typing import Any

from django.db import connection, transaction
from django.test import Client

from marketplace.accounts.models import User
from marketplace.accounts.tests.signing_in import sign_in_by_password_alone
from marketplace.tests.doors import Door, address
from marketplace.tests.doors.data import Thing, World
from resolution.models import Reason

BACKEND = "django.contrib.auth.backends.ModelBackend"
# A session remembers which page was asked for, and that is all that it may.
FREE = ("django_session", "django_migrations")
LED = {
    "/accounts/login/": "in",
    "/admin/login/": "door",
    "/accounts/reauthenticate/": "prove",
    "/accounts/2fa/reauthenticate/": "prove",
    "/accounts/2fa/": "code",
}


class Walker:
    """Everybody's sessions, and the rows as they are before anybody does anything. Needs an open transaction."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.one = Client(raise_request_exception=False)  # each new one would load the middleware anew
        self.cookies: dict[tuple[int, bool], SimpleCookie] = {}
        self.reason = Reason.objects.get(code="not_as_described").pk
        cast = world.cast
        for person in (*cast.people.values(), world.stranger, world.gone, cast.support, cast.finance, cast.admin):
            self._sign_in(person)
        self._sign_in(cast.support, with_code=False)
        self.rows = {0: rows()}

    def _sign_in(self, person: User, *, with_code: bool = True) -> None:
        client = Client()
        if with_code:
            client.force_login(person, BACKEND)
        else:
            sign_in_by_password_alone(client, person, BACKEND)
        self.cookies[person.pk, with_code] = client.cookies

    def client(self, role: str, thing: Thing, *, in_admin: bool = False) -> Client:
        cast = self.world.cast
        person = {
            "anonymous": None,
            "stranger": self.world.stranger,
            "buyer": thing.buyer,
            "seller": thing.seller,
            "support": cast.support,
            "password": cast.support,
            "finance": cast.finance,
            "superuser": cast.admin,
            "gone": self.world.gone if in_admin else thing.buyer,
        }[role]
        kept = self.cookies[person.pk, role != "password"] if person else {}
        self.one.cookies = SimpleCookie({name: morsel.value for name, morsel in kept.items()})
        return self.one

    def cell(self, door: Door, role: str, route: str) -> str:
        """What the door answers in this role, as the tables write it. What was done is undone."""
        thing = self.world.of(door.thing, route)
        in_admin = route.startswith("admin/")
        client = self.client(role, thing, in_admin=in_admin)
        where = address(route, thing)
        with undone():
            gone = self._deactivate(self.world.gone if in_admin else thing.buyer) if role == "gone" else 0
            before = changed_rows()
            response: Any = (
                client.post(where, self.body(thing))
                if door.method == "POST"
                else client.get(where, headers={"HX-Request": "true"} if door.method == "HX" else {})
            )
            if response.streaming:
                b"".join(response.streaming_content)  # which closes the file
            changed = changed_rows() != before and rows() != self.rows[gone]
        return f"{answer(response)}{'!' if changed else ''}"

    def _deactivate(self, person: User) -> int:
        User.objects.filter(pk=person.pk).update(is_active=False)
        if person.pk not in self.rows:
            self.rows[person.pk] = rows()
        return person.pk

    def body(self, thing: Thing) -> dict[str, Any]:
        """What would be a valid form on most pages, so that what is refused is refused for who asks."""
        return {
            "version": thing.version,
            "confirm": "yes",
            "reason": self.reason,
            "method": "card_ok",
            "rating": "5",
            "kind": "cancel_milestone",
            "newest": "999999",
            "time_zone": "UTC",
            "answer": "approve",
            "account": "bank_ok",
            "why": "Asked by phone.",
            "language": "es",
            **dict.fromkeys(("text", "message", "statement", "note", "title", "name", "brief"), "Words."),
            **dict.fromkeys(("days", "revisions", "count"), "2"),
            **dict.fromkeys(("amount", "price"), "10.00"),
        }


def answer(response: Any) -> str:
    if response.status_code not in (301, 302, 303):
        return str(response.status_code)
    return LED.get(response["Location"].partition("?")[0], str(response.status_code))


@contextmanager
def undone() -> Iterator[None]:
    """What the body writes is gone afterwards; to code that asks it is no transaction, as in a `TestCase`."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        yield
        transaction.set_rollback(True)


@cache
def _tables() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND relname <> ALL(%s)",
            [list(FREE)],
        )
        return [oid for (oid,) in cursor.fetchall()]


def changed_rows() -> int:
    """How many rows this transaction has written so far, also those that were undone again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)"
            " + pg_stat_get_xact_tuples_deleted(oid)) FROM unnest(%s::oid[]) oid",
            [_tables()],
        )
        return int(cursor.fetchone()[0])


def rows() -> list[tuple[str, int, int]]:
    """Of every table its number of rows and the sum of their fingerprints."""
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name not in FREE]
        each = (f"SELECT '{name}', count(*), sum(hashtextextended(t::text, 0)) FROM \"{name}\" t" for name in tables)
        cursor.execute(" UNION ALL ".join(each))
        return sorted(cursor.fetchall())
