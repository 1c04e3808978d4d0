"""A person's notices. Reading the page changes nothing: marking as read is a button."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Max
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from marketplace.notifications import services
from marketplace.notifications.models import Notice

PER_PAGE = 25


@require_safe
@login_required
def notice_list(request: SignedInRequest) -> HttpResponse:
    mine = Notice.objects.filter(recipient=request.user)
    page = Paginator(mine.newest_first(), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "newest": mine.aggregate(newest=Max("pk"))["newest"],
    }
    return render(request, "notifications/list.html", context)


@require_POST
@login_required
def read(request: SignedInRequest, pk: int) -> HttpResponse:
    """Mark one notice as read and go to what it is about."""
    notice = get_object_or_404(Notice, pk=pk, recipient=request.user)
    services.mark_read(notice, at=clock.now())
    return redirect(notice.url)


@require_POST
@login_required
def read_all(request: SignedInRequest) -> HttpResponse:
    """Mark as read what the page knew of; a notice that came meanwhile stays unread."""
    newest = request.POST.get("newest", "")
    if newest.isascii() and newest.isdigit() and len(newest) < 19:
        services.mark_all_read(request.user, newest=int(newest), at=clock.now())
    return redirect("notifications:list")
