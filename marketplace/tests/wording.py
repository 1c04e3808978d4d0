"""Finds text that no translator gets to see: a language that puts ⟦every text⟧ in brackets shows what has none."""

import gettext
import re
import zoneinfo
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
from django.apps import apps
from django.conf import settings
from django.db import models

from payments.money import CURRENCIES

ROOT = Path(settings.BASE_DIR)
SPOKEN = ("aria-label", "placeholder", "title", "alt", "data-label")
SILENT = {"script", "style", "textarea", "code", "pre"}
INLINE = {
    "a",
    "b",
    "strong",
    "em",
    "i",
    "span",
    "small",
    "code",
    "br",
    "time",
    "abbr",
    "wbr",
    "input",
    "img",
    "bdi",
    "kbd",
}
# Written by the site and not by people; or with people's words in them, which the tables of the people hold as well.
NOT_CONTENT = {"notice", "logentry", "contenttype", "permission", "session", "group"}
_WORD = re.compile(r"[^\W\d_]{2,}")
_DAYS, _MONTHS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun", "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_FORMATTED = re.compile(
    rf"\b(?:(?:{_DAYS}) )?(?:\d{{1,2}} )?(?:{_MONTHS})\b(?: \d{{4}})?"  # dates and months, which Babel writes
    rf"|\b(?:{'|'.join(CURRENCIES)}|CA|MX|AM|PM|UTC)\b"
    r"|\S+@\S+|https?://\S+|\b(?:MP|RC)-[0-9A-Z-]+|\b[0-9a-f-]{12,}\b|\b[a-z]+_[a-z0-9_]+\b"
    rf"|\b{settings.SITE_NAME}\b"
    r"|\bwithdrawal(?:-\w+){4}\b"
    rf"|\b(?:{'|'.join(settings.PAYMENT_GATEWAYS)})\b"
)


_SAME = re.compile(r"\b(?:PDF|CSV|SHA)\b")  # in every language


class Bracketing(gettext.NullTranslations):
    """Django's translation of a language; swap it in with `trans_real._translations`."""

    def to_language(self) -> str:
        return "en"

    def language(self) -> str:
        return "en"

    def gettext(self, message: str) -> str:
        return f"⟦{message.rpartition(chr(4))[2]}⟧"

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return self.gettext(singular if number == 1 else plural)


def content_of_people() -> list[str]:
    """What people wrote, by lines, the longest first."""
    found: set[str] = set()
    for model in apps.get_models():
        if model._meta.model_name in NOT_CONTENT:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, models.CharField | models.TextField) and not field.choices:
                for value in model._default_manager.values_list(field.attname, flat=True).distinct():
                    found.update(_flat(line) for line in str(value or "").splitlines())
    names = {name.split()[0] for name in found if name.istitle() and " " in name}
    zones = {part.replace("_", " ") for name in zoneinfo.available_timezones() for part in (name, name.split("/")[-1])}
    languages = set(dict(settings.LANGUAGES).values())
    words = {
        value for value in found | names | zones | languages if len(value) > 1 and not re.fullmatch(r"[a-z_]+", value)
    }
    return sorted(words, key=len, reverse=True)


def unwrapped(html: str, content: Iterable[str]) -> list[str]:
    """The texts of a page outside of every bracket that are no content, date or amount."""
    tree = html5lib.HTMLParser(namespaceHTMLElements=False).parse(html)
    found = []
    for text in dict.fromkeys(_outside(tree)):
        rest = _FORMATTED.sub(" ", text)
        for value in content:
            if not _WORD.search(rest):
                break
            if value in rest:
                rest = rest.replace(value, " ")
            elif rest.endswith("…") and value.startswith(rest.strip()[:-1]):
                rest = ""
        if _WORD.search(_SAME.sub(" ", rest)):
            found.append(text)
    return found


def _outside(tree: Element) -> Iterator[str]:
    depth = 0

    def bare(text: str | None) -> str:
        nonlocal depth
        kept = []
        for sign in text or "":
            depth = depth + 1 if sign == "⟦" else max(0, depth - 1) if sign == "⟧" else depth
            kept.append(sign if not depth and sign != "⟧" else " ")
        return _flat("".join(kept))

    def walk(element: Element) -> Iterator[str]:
        nonlocal depth
        if not isinstance(element.tag, str):
            return
        own_language = element.tag != "html" and element.get("lang")
        if element.tag in SILENT or own_language or element.get("name") in ("time_zone", "csrfmiddlewaretoken"):
            return
        if "avatar" in element.get("class", ""):  # the initials of a name
            return
        if element.tag not in INLINE:
            depth = 0
        for name in SPOKEN:
            before, depth = depth, 0
            yield bare(element.get(name))
            depth = before
        if element.tag == "input" and element.get("type") in ("submit", "button"):
            yield bare(element.get("value"))
        yield bare(element.text)
        for child in element:
            yield from walk(child)
            yield bare(child.tail)
        if element.tag not in INLINE:
            depth = 0

    return (text for text in walk(tree) if text)


def sources_of(text: str) -> list[str]:
    """Where a text probably stands: the files that hold its beginning."""
    return [name for name, source in _sources().items() if text[:30] in source]


@cache
def _sources() -> dict[str, str]:
    folders = ("templates", "marketplace", "orders", "payments", "resolution")
    paths = [path for folder in folders for suffix in ("py", "html") for path in ROOT.glob(f"{folder}/**/*.{suffix}")]
    return {
        str(path.relative_to(ROOT)): path.read_text() for path in paths if not {"tests", "migrations"} & {*path.parts}
    }


def _flat(text: str) -> str:
    return " ".join(text.split())
