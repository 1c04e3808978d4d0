"""A person's notices. Reading the page changes nothing: marking as read is a button."""

from itertools import groupby
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Max
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from marketplace.notifications import services
from marketplace.notifications.models import Notice
from marketplace.notifications.topics import Topic, topics_of
from marketplace.notifications.wording import word
from marketplace.pages_by_key import LONGEST_KEY, NEWEST, Column, instant, page_of

PER_PAGE = 25
COLUMNS = (Column("created_at", instant, descending=True), NEWEST)
# Of so many the number of the last one is looked for, which is not always that of the newest; nobody counts them all.
LATEST = 100


@require_safe
@login_required
def notice_list(request: SignedInRequest) -> HttpResponse:
    """One's notices, the newest first, under the days of one's own time zone; all, the unread, or those of a topic."""
    mine = Notice.objects.filter(recipient=request.user)
    chosen = _filters(request.GET)
    shown = mine.unread() if "unread" in chosen else mine
    if "topic" in chosen:
        shown = shown.about(Topic(chosen["topic"]))
    page = page_of(shown, COLUMNS, request.GET, most=PER_PAGE)
    word(page)
    days = groupby(page, key=lambda notice: timezone.localdate(notice.created_at))
    context = {
        "page": page,
        "days": [(day, list(notices)) for day, notices in days],
        "today": timezone.localdate(clock.now()),
        "newest": mine.newest_first()[:LATEST].aggregate(newest=Max("pk"))["newest"],
        "chosen": chosen,
        "topics": topics_of(is_staff=request.user.is_staff),
        "query": _query(request.GET),
    }
    return render(request, "notifications/list.html", context)


@require_POST
@login_required
def read(request: SignedInRequest, pk: int) -> HttpResponse:
    """Mark one notice as read and go to what it is about, or stay on the list."""
    notice = get_object_or_404(Notice, pk=pk, recipient=request.user)
    services.mark_read(notice, at=clock.now())
    return redirect(_list(request) if "stay" in request.POST else notice.url)


@require_POST
@login_required
def read_all(request: SignedInRequest) -> HttpResponse:
    """Mark as read what the page knew of; a notice that came meanwhile stays unread."""
    newest = request.POST.get("newest", "")
    if newest.isascii() and newest.isdigit() and len(newest) < 19:
        services.mark_all_read(request.user, newest=int(newest), at=clock.now())
    return redirect("notifications:list")


def _filters(query: QueryDict) -> dict[str, str]:
    """What the list is narrowed to; what is not known narrows nothing."""
    topic = query.get("topic", "")
    chosen = {"topic": topic} if topic in Topic.values else {}
    return chosen | ({"unread": "1"} if query.get("unread") == "1" else {})


def _query(query: QueryDict) -> str:
    places = {name: query[name] for name in ("after", "before") if name in query and len(query[name]) <= LONGEST_KEY}
    known = _filters(query) | places
    return f"?{urlencode(known)}" if known else ""


def _list(request: SignedInRequest) -> str:
    return reverse("notifications:list") + _query(request.GET)
