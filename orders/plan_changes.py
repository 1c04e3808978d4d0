"""What a change of the upcoming milestones changes, in the words of whoever reads it (O17)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from marketplace.catalog.durations import counted
from marketplace.catalog.plans import Planned, PlannedMilestone
from payments.money import display


def stored(plan: Sequence[Planned]) -> list[dict[str, Any]]:
    """A plan as an event keeps it, in no language: each reader's sentence is made of it."""
    return [asdict(PlannedMilestone.of(step)) for step in plan]


def changes_of_event(data: dict[str, Any], currency: str) -> str:
    """What an event with the `before` and `after` of a plan says, or an older one in words; empty for all others."""
    if "after" not in data:
        return str(data.get("changes", ""))
    before, after = ([PlannedMilestone(**step) for step in data[name]] for name in ("before", "after"))
    return "; ".join(changes_in_words(before, after, currency))


def changes_in_words(before: Sequence[Planned], after: Sequence[Planned], currency: str) -> list[str]:
    """What would be different, a phrase per milestone: “Cards” is dropped; “Poster” is added ($80.00, 3 days)."""
    found = []
    for was, now in zip(before, after, strict=False):
        if PlannedMilestone.of(was) == PlannedMilestone.of(now):
            continue
        said = _("“{old}” becomes “{new}”: {differences}") if was.title != now.title else _("“{new}”: {differences}")
        found.append(said.format(old=was.title, new=now.title, differences=_differences(was, now, currency)))
    for step in after[len(before) :]:
        found.append(
            _("“{milestone}” is added ({promise})").format(milestone=step.title, promise=promise(step, currency))
        )
    for step in before[len(after) :]:
        found.append(_("“{milestone}” is dropped").format(milestone=step.title))
    return found


def promise(step: Planned, currency: str) -> str:
    """ "$80.00, 3 days, 1 revision"."""
    return f"{display(step.price, currency)}, {counted(step.delivery_days, 'day')}, {_revisions(step.revisions)}"


def _differences(was: Planned, now: Planned, currency: str) -> str:
    pairs = [
        (display(was.price, currency), display(now.price, currency)),
        (counted(was.delivery_days, "day"), counted(now.delivery_days, "day")),
        (_revisions(was.revisions), _revisions(now.revisions)),
    ]
    changed = [f"{old} → {new}" for old, new in pairs if old != new]
    if was.description != now.description:
        changed.append(_("other details"))
    return ", ".join(changed) or _("the same price, days and revisions")


def _revisions(number: int | None) -> str:
    return _("unlimited revisions") if number is None else counted(number, "revision")
