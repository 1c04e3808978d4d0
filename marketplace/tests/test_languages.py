"""English and Spanish: every text can be translated and is, and each reader meets their own language and formats."""

import functools
import gc
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from marketplace import clock, translations
from marketplace.accounts import instants
from marketplace.accounts.models import User
from marketplace.accounts.reader import reading_as
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog import durations
from marketplace.catalog.durations import counted
from marketplace.demo.play import play
from marketplace.templatetags.words import day, percent, until, when
from marketplace.tests import wording
from marketplace.tests.test_gallery import everybodys, pages_of, signed_in
from orders.services import send_message
from orders.tests.factories import make_offer
from payments import money, services

NOW = datetime(2026, 11, 26, 5, 50, tzinfo=UTC)


def spoken(language: str) -> AbstractContextManager[None]:
    """Read by somebody in Madrid."""
    return reading_as(User(language=language, time_zone="Europe/Madrid"))


OURS = ("marketplace.", "orders.", "payments.", "resolution.")


@pytest.fixture
def nothing_said_yet() -> Iterator[None]:
    """What was worded once in a language is kept for it, and here the language changes its words, for this test."""

    def forget() -> None:
        for one in gc.get_objects():
            if type(one) is functools._lru_cache_wrapper and one.__module__.startswith(OURS):
                one.cache_clear()
        translation.deactivate()
        trans_real._default = None

    forget()
    yield
    forget()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("nothing_said_yet")
def test_no_text_of_a_page_stands_outside_the_reach_of_translators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(trans_real._translations, "en", wording.Bracketing())
    cast = play(clock.now())
    services.issue_documents(clock.now())
    content = wording.content_of_people()
    found: dict[str, list[str]] = {}
    seen = set()
    visits = [(Client(), everybodys())]
    visits += [(signed_in(user), pages_of(user)) for user in (*cast.people.values(), cast.support, cast.finance)]
    for client, pages in visits:
        for name, path in pages.items():
            if name in seen or not re.search(os.environ.get("PAGES", ""), name):
                continue
            seen.add(name)
            response = client.get(path)
            for text in wording.unwrapped(response.content.decode(), content):
                found.setdefault(text, []).append(name)
    lines = [
        f"{text[:90]!r} ({', '.join(names[:3])}): {' '.join(wording.sources_of(text)[:4])}"
        for text, names in found.items()
    ]
    assert lines == [], "\n".join(lines)


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES if code != "en"])
def test_every_text_is_translated_with_its_placeholders(language: str) -> None:
    catalog = translations.read(language)
    assert [message.id for message in translations.untranslated(catalog, translations.texts())] == []
    assert [(message.id, message.string) for message in translations.mistaken(catalog)] == []


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES if code != "en"])
def test_what_runs_is_what_was_translated(language: str) -> None:
    compiled = translations.LOCALES / language / "LC_MESSAGES" / "django.mo"
    assert compiled.read_bytes() == translations.compiled(translations.read(language))


def test_an_instant_is_written_as_the_reader_writes_it() -> None:
    here, there = datetime(2026, 12, 1, 13, 5, tzinfo=UTC), datetime(2027, 9, 1, 12, tzinfo=UTC)
    with clock.at(NOW), spoken("es"):
        assert (when(here), day(here), when(there)) == ("mar, 1 dic, 14:05", "1 dic", "mié, 1 sept 2027, 14:00")
        assert instants.deadline(here) == "mar, 1 dic 2026, 14:05 (Europe/Madrid)"
        assert until(NOW + timedelta(days=1, hours=7)) == "1 día y 7 horas de plazo"
    with clock.at(NOW), spoken("en"):
        assert instants.deadline(here) == "Tue 1 Dec 2026, 14:05 (Europe/Madrid)"


def test_numbers_have_the_plurals_of_the_language() -> None:
    with spoken("es"):
        assert [counted(number, "revision") for number in (0, 1, 2)] == ["0 revisiones", "1 revisión", "2 revisiones"]
        assert [percent(550), percent(2000)] == ["5,5 %", "20 %"]
        assert durations.parse("8 días") == durations.parse("8 days") == timedelta(days=8)


@pytest.mark.parametrize(
    ("amount", "currency", "shown", "in_a_field"),
    [
        (115_825, "USD", "1158,25 US$", "1158,25"),
        (1_115_825, "EUR", "11.158,25 €", "11158,25"),
        (-100, "USD", "−1,00 US$", "-1,00"),
        (12_345, "KWD", "12,345 KWD", "12,345"),
        (1001, "JPY", "1001 JPY", "1001"),
    ],
)
def test_money_is_written_as_spanish_does(amount: int, currency: str, shown: str, in_a_field: str) -> None:
    with spoken("es"):
        assert money.display(amount, currency).replace("\u00a0", " ") == shown
        assert money.plain(amount, currency) == in_a_field
        if amount > 0:
            assert money.parse(shown, currency) == money.parse(in_a_field, currency) == amount


@pytest.mark.parametrize(
    ("language", "typed", "currency", "amount"),
    [
        ("es", "1.158,25", "USD", 115_825),
        ("es", "1.500", "USD", 150_000),
        ("es", "12,5", "KWD", 12_500),
        ("es", "1158.25", "USD", None),
        ("es", "1,158.25", "USD", None),
        ("es", "12,345", "USD", None),
        ("en", "1158,25", "USD", None),
        # Fifteen hundred here, one and a half there: refused in both.
        ("es", "1.500", "KWD", None),
        ("en", "1,500", "KWD", None),
        ("es", "1.500,000", "KWD", 1_500_000),
    ],
)
def test_an_amount_is_read_in_the_readers_format_or_refused(
    language: str, typed: str, currency: str, amount: int | None
) -> None:
    with spoken(language):
        if amount is None:
            with pytest.raises(ValueError, match=r"\d"):
                money.parse(typed, currency)
        else:
            assert money.parse(typed, currency) == amount


@pytest.mark.django_db
def test_a_choice_comes_before_the_cookie_and_the_cookie_before_the_browser(client: Client) -> None:
    def language(**headers: str) -> str:
        response = client.get("/help/milestones/", headers=headers)
        assert {"Accept-Language", "Cookie"} <= {name.strip() for name in response["Vary"].split(",")}
        assert f'<html lang="{response["Content-Language"]}"' in response.content.decode()
        return response["Content-Language"]

    assert language() == "en"
    assert language(accept_language="es-MX,es;q=0.9,en;q=0.1") == "es"
    assert language(accept_language="fr") == "en"
    back = client.post("/language/", {"language": "es", "next": "/gigs/?page=1"})
    assert (back.status_code, back["Location"]) == (302, "/gigs/?page=1")
    assert language(accept_language="en") == "es"
    person = UserFactory(language="en")
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    assert language() == "en"
    client.post("/language/", {"language": "es"})
    client.post("/language/", {"language": "tlh"})
    person.refresh_from_db()
    assert (person.language, language()) == ("es", "es")
    profile = {"name": person.name, "about": "", "time_zone": "UTC", "language": ""}
    assert client.post("/profile/", profile).status_code == 302
    person.refresh_from_db()
    assert (person.language, language(accept_language="en")) == ("", "en")


@pytest.mark.django_db
def test_each_side_is_told_in_their_own_language_and_time_whoever_acts() -> None:
    seller = UserFactory(name="Mia", language="es", time_zone="America/Lima")
    buyer = UserFactory(name="Ana", language="en", time_zone="Europe/Madrid")
    with clock.at(NOW), spoken("es"):
        order = make_offer(seller=seller, buyer=buyer)
    with clock.at(NOW), spoken("en"):
        send_message(order, by=buyer, text="Hello!")
    offered, written = buyer.notices.get(), seller.notices.get()
    assert offered.title == f"Mia sent you an offer: {order.title}"
    assert "Answer by Thu 10 Dec 2026, 06:50 (Europe/Madrid)." in offered.text
    assert (written.title, written.text) == (f"Ana te ha escrito: {order.title}", "Hello!")
