"""The catalogs of translations: `python -m marketplace.translations` brings each up to date with the texts of the site.

Needs no tools of gettext. New texts come in untranslated, texts that are gone go out, a text that changed keeps its
old translation as "fuzzy" until somebody has looked at it; what is not fuzzy is compiled. See docs/languages.md.
"""

import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ROOT / "marketplace" / "locale"
SOURCES = ("marketplace", "orders", "payments", "resolution")
NOT_SHOWN = {"tests", "migrations", "embedded", "demo", "management", "locale"}
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_ALIAS = re.compile(r"^from django\.utils\.translation import (\w*gettext\w*) as (\w+)$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}|</?[a-z]+")


def texts() -> Catalog:
    """Every text of the site that can be translated, with the files it stands in."""
    found = Catalog(charset="utf-8")
    for path in _sources():
        code, keywords = path.read_text(), KEYWORDS
        if path.suffix == ".py":
            keywords = KEYWORDS | {alias: KEYWORDS[name] for name, alias in _ALIAS.findall(code)}
        else:
            # Left-aligned, or the indentation of HTML would be taken for Python's.
            code = "\n".join(line.strip() for line in templatize(code).splitlines())
        messages = extract("python", io.BytesIO(code.encode()), keywords, ["Translators:"], {"encoding": "utf-8"})
        for _line, message, comments, context in messages:
            found.add(message, locations=[(str(path.relative_to(ROOT)), 0)], auto_comments=comments, context=context)
    return found


def read(language: str) -> Catalog:
    """What is translated into a language; an empty catalog for one that is new."""
    path = _po(language)
    if not path.exists():
        return Catalog(
            locale=language,
            header_comment=f"# The site in {language}. Made by marketplace/translations.py; see docs/languages.md.",
            project="Milepost",
            version="1",
            msgid_bugs_address="",
            last_translator="",
            language_team=language,
            charset="utf-8",
            revision_date=datetime.now(UTC),
            fuzzy=False,
        )
    with path.open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalog: Catalog) -> bytes:
    """What runs: of a plural that lacks a form, as of every other text without a translation, the English."""
    ready = Catalog(
        locale=catalog.locale,
        project=catalog.project,
        version=catalog.version,
        charset="utf-8",
        creation_date=catalog.creation_date,
        revision_date=catalog.revision_date,
        fuzzy=False,
    )
    for message in catalog:
        if message.id and _is_done(message):
            ready.add(message.id, message.string, context=message.context)
    file = io.BytesIO()
    write_mo(file, ready)
    return file.getvalue()


def refresh(language: str, wanted: Catalog) -> Catalog:
    """Bring a language's catalog up to date with the wanted texts, write both of its files and return it."""
    catalog = read(language)
    catalog.update(wanted, update_creation_date=False)
    path = _po(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=100, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    return catalog


def untranslated(catalog: Catalog, wanted: Catalog) -> list[Message]:
    """What of the wanted texts has no translation that somebody has looked at."""
    return [message for message in wanted if message.id and not _is_done(catalog.get(message.id, message.context))]


def mistaken(catalog: Catalog) -> list[Message]:
    """Translations whose placeholders or tags are not those of the text."""
    return [message for message in catalog if message.id and _is_done(message) and not _agree(message)]


def _is_done(message: Message | None) -> bool:
    if message is None or message.fuzzy:
        return False
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def _agree(message: Message) -> bool:
    """A plural form may leave out the number ("one day"), never name something that the text does not have."""
    if message.pluralizable:
        allowed = [set(_PLACEHOLDER.findall(text)) for text in message.id]
        return all(set(_PLACEHOLDER.findall(form)) in allowed for form in message.string)
    return sorted(_PLACEHOLDER.findall(message.id)) == sorted(_PLACEHOLDER.findall(message.string))


def _sources() -> Iterator[Path]:
    for folder in SOURCES:
        for path in sorted(ROOT.glob(f"{folder}/**/*.py")):
            if not NOT_SHOWN & set(path.relative_to(ROOT).parts):
                yield path
    for suffix in ("html", "txt"):
        yield from sorted(ROOT.glob(f"templates/**/*.{suffix}"))


def _po(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "django.po"


def main() -> None:
    wanted = texts()
    for language in sys.argv[1:] or sorted(path.name for path in LOCALES.iterdir() if path.is_dir()):
        catalog = refresh(language, wanted)
        left, wrong = untranslated(catalog, wanted), mistaken(catalog)
        sys.stdout.write(f"{language}: {len(catalog)} texts, {len(left)} to translate, {len(wrong)} to correct\n")
        for message in wrong:
            sys.stdout.write(f"  {message.id!r} → {message.string!r}\n")


if __name__ == "__main__":
    main()
