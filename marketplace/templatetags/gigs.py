"""How pages speak of gigs, their plans and their sellers. `{% load gigs %}`."""

from dataclasses import dataclass

from django import template
from django.conf import settings
from django.db.models import Count, F, Q
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.catalog.durations import counted
from orders.models import Milestone

register = template.Library()


@dataclass(frozen=True)
class Record:
    """What a seller has completed, and the share of it that came by the date it was due, in basis points."""

    completed: int
    on_time_share: int


@register.filter
def days(number: int) -> str:
    """ "1 day", "4 days"."""
    return counted(number, "day")


@register.filter
def revisions(number: int | None) -> str:
    """ "2 revisions", "no revisions", "unlimited revisions"."""
    if number is None:
        return _("unlimited revisions")
    return counted(number, "revision") if number else _("no revisions")


@register.filter
def rest_of_all(rate: int) -> int:
    """What a rate in basis points leaves: 2000 leaves 8000, which `percent` calls "80 %"."""
    return 10_000 - rate


@register.simple_tag
def seller_record(seller: User) -> Record:
    """The seller's completed milestones, and how many of them were delivered when they were due. One query."""
    done = Milestone.objects.filter(order__seller=seller, status=Milestone.Status.COMPLETED).aggregate(
        completed=Count("pk"),
        delivered=Count("pk", filter=Q(delivered_at__isnull=False)),
        on_time=Count("pk", filter=Q(delivered_at__lte=F("deliver_by"))),
    )
    share = done["on_time"] * 100 // done["delivered"] * 100 if done["delivered"] else 0
    return Record(done["completed"], share)


@register.filter
def absolute(path: str) -> str:
    """An address of this site for those who are not on it: search engines and link previews."""
    return f"{settings.SITE_URL.rstrip('/')}{path}"
