"""Who may open which door: every address of the site, what it answers to each role, and what that changes.

The tables are written from the rules. A line is a method, the name of an address, the thing that it is about (see
`data`), and a cell for each of `ROLES`:

    in     led to sign in                 prove  led to say again who one is
    door   led to the door of admin       code   led to the pages of the second factor
    302    led elsewhere on the site, which `door`, `in` and the others are not
    404 …  the status

A `!` after it: something in the database is another afterwards. Everything else changes nothing, sessions aside.
`buyer` and `seller` are the two sides of the thing. `password` is support without the second factor. `gone` is the
buyer after they were deactivated, in admin a superuser; their session had begun before. A line with `GET+POST` holds
for both, `HX` is a GET by the script of our pages.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

from marketplace.tests.doors.data import Thing

ROLES = ("anonymous", "stranger", "buyer", "seller", "support", "password", "finance", "superuser", "gone")
ANCHORS = re.compile(r"[\\^$]")
PART = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


@dataclass(frozen=True)
class Door:
    """A line of the tables: what one method answers at one address about one thing, for each role."""

    method: str
    name: str
    thing: str
    cells: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.name} {self.thing}"


def read(table: str) -> Iterator[Door]:
    """The lines of a table."""
    for line in table.strip().splitlines():
        methods, name, thing, *cells = line.split()
        for method in methods.split("+"):
            yield Door(method, name, thing, dict(zip(ROLES, cells, strict=True)))


def all_routes() -> dict[str, str]:
    """Every address that the site answers, by name, or by its route where it has none."""
    found: dict[str, str] = {}
    for name, route in _routes(get_resolver(), "", ""):
        key = name if name and name not in found else route
        assert key not in found, f"two addresses are called {key}"
        found[key] = route
    return found


def _routes(resolver: URLResolver, route: str, space: str) -> Iterator[tuple[str, str]]:
    for pattern in resolver.url_patterns:
        here = f"{route}{pattern.pattern}"
        if isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}" if pattern.name else "", here
        else:
            yield from _routes(pattern, here, f"{space}{pattern.namespace}:" if pattern.namespace else space)


def address(route: str, thing: Thing) -> str:
    """The route with its parts filled in."""
    filled = PART.sub(lambda part: str(thing.parts[part[1] or part[2]]), route)
    filled = ANCHORS.sub("", filled)
    return f"/{filled}{thing.parts.get('query', '')}"
