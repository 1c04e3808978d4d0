"""How pages say times, lengths and shares of money. `{% load words %}`."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts import figures, instants
from marketplace.accounts.reader import locale
from marketplace.catalog.durations import counted, in_words
from marketplace.catalog.rules import percent as percent_in_words

register = template.Library()

URGENT = timedelta(hours=12)
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@register.filter
def duration(length: timedelta | None) -> str:
    """A length of time, exactly: "8 days", "24 hours", "90 seconds"."""
    return "" if length is None else in_words(length)


@register.filter
def percent(rate: int) -> str:
    """A rate in basis points: 550 is "5.5 %", 2000 is "20 %"."""
    return percent_in_words(rate)


@register.filter
def when(instant: datetime | None) -> str:
    """An instant in the viewer's time zone: "Tue 1 Dec, 14:05", with the year when it is not this year."""
    return "" if instant is None else instants.when(instant)


@register.filter
def day(instant: datetime | None) -> str:
    """The day of an instant in the viewer's time zone: "1 Dec", with the year when it is not this year."""
    return "" if instant is None else instants.day(instant)


@register.filter
def full_day(instant: datetime) -> str:
    """The day of an instant with its year, for papers: "1 Dec 2026"."""
    return instants.full_day(instant)


@register.filter
def iso(instant: datetime) -> str:
    """For `datetime` attributes, in UTC: "2026-12-01T13:05:00Z"."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@register.filter
def to_the_second(instant: datetime) -> str:
    """`when`, where seconds count: "Tue 1 Dec, 14:05:09"."""
    return instants.when(instant, seconds=True)


@register.filter
def moment(instant: datetime | None) -> str:
    """`when` inside a `<time>` element."""
    if instant is None:
        return ""
    return SafeString(f'<time datetime="{iso(instant)}">{escape(when(instant))}</time>')


@register.filter
def until(instant: datetime) -> str:
    """What is left until an instant: "5 days 7 hours left", "42 minutes left", "time is up"."""
    rest = int((instant - clock.now()) // timedelta(seconds=1))
    if rest <= 0:
        return _("time is up")
    return _("{time} left").format(time=_rest_in_words(rest))


def _rest_in_words(seconds: int) -> str:
    if seconds < 120:
        return counted(seconds, "second")
    first = next(index for index, unit in enumerate(UNITS) if seconds >= unit[1])
    unit, size = UNITS[first]
    number, rest = divmod(seconds, size)
    larger = counted(number, unit)
    if first >= 2:
        return larger
    unit, size = UNITS[first + 1]
    if rest < size:
        return larger
    # Translators: such as "5 days 7 hours".
    return _("{larger} {smaller}").format(larger=larger, smaller=counted(rest // size, unit))


@register.simple_tag
def countdown(instant: datetime) -> SafeString:
    """`until` as a `<time>` that ticks where JavaScript runs. The last hours are shown as urgent."""
    urgent = instant - clock.now() <= URGENT
    return format_html(
        '<time class="countdown{}" datetime="{}" data-countdown>{}</time>',
        " countdown--urgent" if urgent else "",
        iso(instant),
        until(instant),
    )


@register.simple_tag
def now_iso() -> str:
    """The server's present instant, so that countdowns do not depend on the visitor's clock."""
    return iso(clock.now())


@register.simple_tag
def reader_format() -> SafeString:
    """For scripts, on the `html` element: how the reader writes numbers, and the words of countdowns. See site.js."""
    return _format_of(get_language())


@lru_cache(maxsize=100)
def _format_of(language: str | None) -> SafeString:
    """`reader_format` in the active language, which is named so that it is made once for each."""
    return format_html(
        ' data-decimal="{}" data-group="{}" data-left="{}" data-time-is-up="{}" data-both="{}" data-units="{}"',
        figures.decimal_sign(),
        figures.group_signs()[0],
        _("{time} left"),
        _("time is up"),
        _("{larger} {smaller}"),
        json.dumps({unit: _plurals(unit) for unit, _size in UNITS}, ensure_ascii=False, separators=(",", ":")),
    )


def _plurals(unit: str) -> dict[str, str]:
    """The words of a unit by the plural categories of the language: {"one": "{} day", "other": "{} days"}."""
    category = locale().plural_form
    samples = {category(number): number for number in range(100, -1, -1)}
    return {name: counted(number, unit).replace(str(number), "{}") for name, number in samples.items()}


@register.simple_tag
def zone() -> str:
    """The short name of the time zone in which this page shows times: "Madrid", "UTC"."""
    return timezone.get_current_timezone_name().rsplit("/", 1)[-1].replace("_", " ")


@register.simple_tag(takes_context=True)
def current(context: Context, *paths: str) -> SafeString:
    """`aria-current` for a link of the main navigation, which leads to the first of `paths`.

    A page may say where it belongs with `section` in its context (a sale's page lives below /orders/).
    """
    here = context["request"].path if "request" in context else ""
    if here == paths[0]:
        return SafeString(' aria-current="page"')
    section = context.get("section") or here
    within = any(section.startswith(path) for path in paths if path != "/")
    return SafeString(' aria-current="true"') if within else SafeString("")


@register.inclusion_tag("_window_bar.html")
def window_bar(start: datetime, end: datetime, label: str = "") -> dict[str, object]:
    """How much of the window from `start` to `end` is left, as a `<progress>` that drains."""
    length = max(1, int((end - start).total_seconds()))
    left = int((end - clock.now()).total_seconds())
    return {
        "label": label or _("Time left"),
        "length": length,
        "left": min(max(left, 0), length),
        "end": int(end.timestamp()),
        "urgent": left <= URGENT.total_seconds(),
    }


@register.inclusion_tag("_money_bar.html")
def money_bar(parts: Iterable[Mapping[str, object]], currency: str, total_label: str) -> dict[str, Any]:
    """ "Where every cent is": a stacked bar with its legend.

    Each part has `kind` (paid, held, fees, due, refunded, lost: the color), `label` and `amount` in minor units.
    The total is their sum, so that the picture cannot disagree with its parts. Widths are integers in permille.
    What the platform bears of a lost chargeback is less than nothing: it stands in the legend only.
    """
    rows = [(str(part["kind"]), str(part["label"]), int(str(part["amount"]))) for part in parts]
    total = sum(amount for _, _, amount in rows)
    whole = sum(amount for _, _, amount in rows if amount > 0)
    drawn, passed = [], 0
    for kind, label, amount in rows:
        filled = max(amount, 0)
        left = _share(passed, whole)
        width = _share(passed + filled, whole) - left
        passed += filled
        drawn.append(
            {
                "kind": kind,
                "label": label,
                "amount": amount,
                "drawn": amount > 0,
                "x": _permille(left),
                "width": _permille(width),
                "middle": _permille(left + width // 2),
                "roomy": width >= 240,
            }
        )
    return {"parts": drawn, "currency": currency, "total": total, "total_label": total_label}


def _share(amount: int, total: int) -> int:
    return amount * 1000 // total if total else 0


def _permille(share: int) -> str:
    return f"{share // 10}.{share % 10}%"


@register.simple_tag
def site_name() -> str:
    """For pages drawn without a request, such as the page for a broken server."""
    return str(settings.SITE_NAME)
