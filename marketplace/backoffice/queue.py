"""Support's queue: which case an agent decides next (R8)."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.backoffice.access import agent
from payments.models import Chargeback
from resolution.models import Case
from resolution.models.case_rows import CaseQuerySet


def waiting_for(person: User) -> CaseQuerySet:
    """The cases that wait for support and that this agent can decide, by what is due first.

    Not those in which they are a party (R6), nor those that the buyer's bank decides first (M10).
    """
    at_the_bank = Chargeback.objects.undecided().filter(charge__held__milestone=OuterRef("milestone"))
    theirs = Q(order__buyer=person) | Q(order__seller=person)
    return Case.objects.for_support().exclude(theirs).exclude(Exists(at_the_bank))


def next_case(person: User, skipped: Case | None = None) -> Case | None:
    """The first case that waits; the one after `skipped` in the queue, beginning anew at its end."""
    waiting = waiting_for(person)
    if skipped is None:
        return waiting.first()
    others = waiting.exclude(pk=skipped.pk)
    later = Q(support_due__gt=skipped.support_due) | Q(support_due=skipped.support_due, pk__gt=skipped.pk)
    return (others.filter(later).first() if skipped.support_due else None) or others.first()


NOTHING_WAITS = _("Nothing waits for Customer Support.")


def open_next(request: HttpRequest, skipped: Case | None = None) -> HttpResponse:
    """Go to the case that waits next; to the queue when none is left."""
    case = next_case(agent(request), skipped)
    if case:
        return HttpResponseRedirect(reverse("admin:resolution_case_change", args=[case.pk]))
    messages.info(request, _("Nothing else waits for Customer Support.") if skipped else NOTHING_WAITS)
    return HttpResponseRedirect(reverse("admin:resolution_case_changelist"))


def queue_context(person: User, now: datetime) -> dict[str, Any]:
    """How much waits, for the head of the queue."""
    due = list(waiting_for(person).values_list("support_due", flat=True))
    return {"waiting": len(due), "overdue": sum(1 for instant in due if instant and instant <= now)}
