"""A person with a browser that has no JavaScript: opens pages, follows links, fills in forms and presses buttons.

What is posted is what the page's own form holds, hidden fields and all, so that a test cannot post what no page offers.
Every page that is opened has to be HTML without a parse error.
"""

import re
from collections.abc import Iterable
from typing import Any, Self
from urllib.parse import urldefrag, urljoin
from xml.etree.ElementTree import Element

import html5lib
from django.http import HttpResponse
from django.test import Client
from html5lib.constants import E as PROBLEMS

from marketplace.accounts.models import User

Values = dict[str, Any]


class Page:
    """A page as it was received, read by its words."""

    def __init__(self, response: HttpResponse, path: str) -> None:
        self.response = response
        self.status = response.status_code
        self.path = path
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        # A NUL that was typed is shown again with the rest; every browser drops it.
        self.tree: Element = parser.parse(response.content.decode().replace("\x00", ""))
        problems = [(position, PROBLEMS[code] % details) for position, code, details in parser.errors]
        assert problems == [], f"{path} is not valid HTML: {problems[:3]}"
        self.parents = {child: parent for parent in self.tree.iter() for child in parent}

    def all(self, tag: str = "", *, cls: str = "", inside: Element | None = None) -> list[Element]:
        within = self.tree if inside is None else inside
        return [
            element
            for element in within.iter()
            if isinstance(element.tag, str)
            and (not tag or element.tag == tag)
            and (not cls or cls in element.get("class", "").split())
        ]

    def words(self, tag: str = "", *, cls: str = "", inside: Element | None = None) -> list[str]:
        """The texts of these elements, each on one line."""
        return [words_of(element) for element in self.all(tag, cls=cls, inside=inside)]

    def by_id(self, name: str) -> Element:
        return next(element for element in self.tree.iter() if element.get("id") == name)

    @property
    def title(self) -> str:
        return self.words("h1")[0]

    @property
    def next(self) -> str:
        """What happens next, on the page of an order or a case."""
        return words_of(self.by_id("next"))

    @property
    def told(self) -> list[str]:
        """The messages at the top: what was just done."""
        return self.words(cls="message")

    @property
    def refusal(self) -> list[str]:
        """Why nothing was done, and what has changed."""
        notes = [*self.all(cls="note--warning"), *self.all(cls="note--error")]
        return [words_of(line) for note in notes for line in note.iter() if line.tag in ("p", "li")]

    @property
    def problems(self) -> list[str]:
        """The summary of what has to be put right in a form."""
        return [words for errors in self.all(cls="errors") for words in self.words("li", inside=errors)]

    @property
    def rows(self) -> dict[str, str]:
        """The page's definition lists: what is greyed and why, what if nobody acts, and the like."""
        found = {}
        for listing in self.all("dl"):
            terms, texts = self.words("dt", inside=listing), self.words("dd", inside=listing)
            found |= dict(zip(terms, texts, strict=True))
        return found

    @property
    def cents(self) -> dict[str, str]:
        """Where every cent is."""
        legend = self.all("ul", cls="legend")[0]
        return {line[0]: line[-1] for line in (self.words("span", inside=item)[-2:] for item in legend.iter("li"))}

    @property
    def track(self) -> list[tuple[str, str, str]]:
        """Title, price and badge of each milestone."""
        return [
            (
                self.words(cls="track__title", inside=step)[0],
                self.words(cls="track__amount", inside=step)[0],
                self.words(cls="badge", inside=self.all(cls="track__side", inside=step)[0])[0],
            )
            for step in self.all("li", cls="track__step")
        ]

    @property
    def buttons(self) -> list[str]:
        """What can be done now, beside what happens next."""
        rows = [one for one in self.parents[self.by_id("next")] if "buttons" in one.get("class", "").split()]
        return [
            words_of(self.all("summary", inside=one)[0]) if one.tag == "details" else words_of(one)
            for row in rows
            for one in row
        ]

    def form(self, button: str) -> tuple[str, str, Values, set[str]]:
        """The form with this submit button as a browser would send it: method, address, values; and its fields."""
        pressed = next(one for one in self._submits() if words_of(one) == button)
        form = pressed
        while form.tag != "form":
            form = self.parents[form]
        address = pressed.get("formaction") or form.get("action") or self.path
        values = dict(self._values(form))
        if name := pressed.get("name"):
            values[name] = pressed.get("value", "")
        names = {field.get("name", "") for field in form.iter() if isinstance(field.tag, str)}
        return form.get("method", "get"), urldefrag(urljoin(self.path, address)).url, values, names

    def link(self, words: str) -> str:
        """Where the first link with these words leads."""
        return next(one.get("href", "") for one in self.all("a") if words_of(one) == words)

    def choice(self, field: str, words: str) -> str:
        """The value of the choice of a select with these words."""
        select = next(one for one in self.all("select") if one.get("name") == field)
        return next(one.get("value", "") for one in select.iter("option") if words_of(one) == words)

    def _submits(self) -> Iterable[Element]:
        return (one for one in self.all("button") if one.get("type", "submit") == "submit")

    def _values(self, form: Element) -> Iterable[tuple[str, str]]:
        for field in form.iter():
            name = field.get("name") if isinstance(field.tag, str) else None
            if not name or field.get("disabled") is not None:
                continue
            if field.tag == "textarea":
                yield name, (field.text or "").removeprefix("\n")
            elif field.tag == "select":
                options = list(field.iter("option"))
                chosen = next((one for one in options if one.get("selected") is not None), options[0])
                yield name, chosen.get("value", "")
            elif field.tag == "input" and field.get("type") in ("radio", "checkbox"):
                if field.get("checked") is not None:
                    yield name, field.get("value", "on")
            elif field.tag == "input" and field.get("type") not in ("file", "submit"):
                yield name, field.get("value", "")


class Visitor:
    """Somebody who looks at the site, signed in or not. `page` is what they see."""

    page: Page

    def __init__(self, user: User | None = None) -> None:
        self.client = Client()
        self.user = user
        if user:
            self.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    def open(self, address: str) -> Page:
        return self._see(self.client.get(urldefrag(address).url, follow=True), address)

    def follow(self, link: str) -> Page:
        """Follow the first link with these words."""
        return self.open(urljoin(self.page.path, self.page.link(link)))

    def press(self, button: str, **values: Any) -> Page:
        """Fill in `values` and press the button. A value that the form has no field for is a mistake of the test."""
        method, address, filled, names = self.page.form(button)
        assert method == "post"
        assert set(values) <= names
        self.posted = (address, filled | values)
        return self.post(*self.posted)

    def post(self, address: str, values: Values) -> Page:
        return self._see(self.client.post(address, values, follow=True), address)

    def again(self) -> Page:
        """Send once more what was sent last: the second half of a double click."""
        return self.post(*self.posted)

    def _see(self, response: Any, address: str) -> Page:
        chain = response.redirect_chain
        self.page = Page(response, urldefrag(chain[-1][0] if chain else address).url)
        return self.page

    @classmethod
    def nobody(cls) -> Self:
        return cls()


def words_of(element: Element) -> str:
    return re.sub(r"\s+", " ", "".join(element.itertext())).strip()
