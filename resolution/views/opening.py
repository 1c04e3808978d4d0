"""Opening a case: the list of every kind, and the page of each."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from marketplace.catalog.plans import asked_change
from orders.guards import Refusal, Refused
from orders.locking import Stale
from orders.models import Order
from orders.views.acting import get_or_post, order_of
from resolution import services
from resolution.actions import OPENING, why_not_open
from resolution.pages import Draft, kind_context, list_context
from resolution.views.changes import changes_since

SHOW = "show"  # the button that shows what the case would do, before it is sent


@login_required
@require_safe
def cases(request: SignedInRequest, number: str) -> HttpResponse:
    """Every kind of case that the order could ever offer: possible for this side, or why not (P1)."""
    order = order_of(request, number)
    return render(request, "resolution/cases.html", list_context(order, request.user, clock.now()))


@login_required
@get_or_post
def open_case(request: SignedInRequest, number: str, kind: str) -> HttpResponse:
    """Open a case of one kind: what it does, what silence means, and every cent (R1, R2, R7).

    Refused (409) or with wrong input (422) the page is shown again with what was typed. The buttons of the plan and the
    one that shows what the case would do draw the page again and send nothing.
    """
    name = kind.replace("-", "_")
    if name not in OPENING or "_" in kind:
        raise Http404
    order, now = order_of(request, number), clock.now()
    side = order.side_of(request.user)
    refusal = why_not_open(order, name, side, now)
    if request.method != "POST":
        draft = None if refusal else Draft.blank(order, side, name, now)
        return _page(request, order, name, draft, refusal=refusal)
    draft = Draft.typed(order, side, name, request.POST, request.FILES)
    valid = draft.is_valid()
    seen = draft.form.cleaned_data.get("version")
    # Kinds and reasons follow the order's state: a stale form is told so before its choices are judged.
    if seen and seen != order.version:
        return _again(request, order, name, stale=Stale(order, seen))
    change = asked_change(request.POST) if draft.plan else ""
    if change:
        return _page(request, order, name, Draft.again(order, side, name, request.POST, change=change))
    if refusal:
        return _again(request, order, name, refusal=refusal)
    if not valid:
        return _page(request, order, name, draft, status=422)
    if SHOW in request.POST:
        return _page(request, order, name, draft, show=True)
    return _open(request, order, name, draft)


def _open(request: SignedInRequest, order: Order, kind: str, draft: Draft) -> HttpResponse:
    data = draft.form.cleaned_data
    try:
        case = services.open_case(
            order,
            by=request.user,
            kind=kind,
            reason=data["reason"],
            statement=data["statement"],
            asked=draft.form.asked(),
            files=data["files"],
            version=data["version"],
        )
    except Stale as stale:
        return _again(request, order_of(request, order.number), kind, stale=stale)
    except Refused as refused:
        return _again(request, order_of(request, order.number), kind, refusal=refused.refusal)
    done = f"The {'case' if case.is_dispute else 'proposal'} is open."
    messages.success(request, done if case.is_pending else "The case was accepted at once.")
    return redirect(case)


def _again(
    request: SignedInRequest,
    order: Order,
    kind: str,
    *,
    refusal: Refusal | None = None,
    stale: Stale | None = None,
) -> HttpResponse:
    """Drawn anew for the order as it is now, with what was typed and without judging it."""
    data = request.POST.copy()
    data["version"] = str(order.version)
    side = order.side_of(request.user)
    impossible = why_not_open(order, kind, side, clock.now())
    draft = None if impossible else Draft.again(order, side, kind, data)
    return _page(request, order, kind, draft, refusal=refusal or impossible, stale=stale, status=409)


def _page(
    request: SignedInRequest,
    order: Order,
    kind: str,
    draft: Draft | None,
    *,
    refusal: Refusal | None = None,
    stale: Stale | None = None,
    show: bool = False,
    status: int = 200,
) -> HttpResponse:
    context = kind_context(order, kind, request.user, clock.now(), draft, show=show)
    context |= {
        "refusal": refusal,
        "stale": stale,
        "changes": changes_since(stale, order, request.user),
        # What was typed is not lost when nothing can be sent any more.
        "typed": "" if draft else request.POST.get("statement", ""),
        "sent": request.method == "POST",
    }
    return render(request, "resolution/open_kind.html", context, status=status)
