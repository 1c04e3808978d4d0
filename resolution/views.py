"""The pages of cases. Views answer *who*: to strangers neither the order nor the case exists (404).

Support agents rule in the back office; these pages are for the two sides.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from orders.activity import sentence
from orders.forms import VersionedForm
from orders.guards import Refusal, Refused
from orders.locking import Stale
from orders.models import Event, Order
from orders.views.acting import order_of
from orders.words import SENTENCES
from resolution import services
from resolution.forms import CaseForm
from resolution.locking import case_of
from resolution.models import Case
from resolution.pages import FORMS, case_context, kinds_for, opening_context
from resolution.sides import check_side

Do = Callable[[Case, dict[str, Any]], object]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def open_case(request: SignedInRequest, number: str) -> HttpResponse:
    """Open a case: which kinds are possible and why not the others, what silence means, and every cent (R1, R2, R7)."""
    order = order_of(request, number)
    if request.method != "POST":
        return _opening_page(request, order, None)
    form = _case_form(request, order, request.POST)
    stale = _posted_from_another_version(form, order)
    if stale:
        return _opening_page(request, order, form, stale=stale, status=409)
    if not form.is_valid():
        return _opening_page(request, order, form, status=422)
    data = form.cleaned_data
    try:
        case = services.open_case(
            order,
            by=request.user,
            kind=data["kind"],
            reason=data["reason"],
            statement=data["statement"],
            files=data["files"],
            version=data["version"],
        )
    except Stale as refused:
        return _opening_page(request, order_of(request, number), form, stale=refused, status=409)
    except Refused as refused:
        return _opening_page(request, order_of(request, number), form, refusal=refused.refusal, status=409)
    messages.success(request, "The case is open." if case.is_pending else "The case was accepted at once.")
    return redirect(case)


@login_required
@require_safe
def case(request: SignedInRequest, number: str) -> HttpResponse:
    """One page for both sides of a case: statements, files, what happened, and what if nobody acts."""
    found = _case(request, number)
    return render(request, "resolution/case.html", case_context(found, request.user))


@login_required
@require_POST
def accept(request: SignedInRequest, number: str) -> HttpResponse:
    return _act(
        request,
        number,
        "accept",
        lambda case, data: services.accept_case(case, by=request.user, text=data["text"], version=data["version"]),
        done="You accepted the case.",
    )


@login_required
@require_POST
def decline(request: SignedInRequest, number: str) -> HttpResponse:
    return _act(
        request,
        number,
        "decline",
        lambda case, data: services.decline_case(case, by=request.user, text=data["text"], version=data["version"]),
        done="You declined the case. The order goes on.",
    )


@login_required
@require_POST
def withdraw(request: SignedInRequest, number: str) -> HttpResponse:
    return _act(
        request,
        number,
        "withdraw",
        lambda case, data: services.withdraw_case(case, by=request.user, version=data["version"]),
        done="You withdrew the case. The order goes on.",
    )


@login_required
@require_POST
def escalate(request: SignedInRequest, number: str) -> HttpResponse:
    return _act(
        request,
        number,
        "escalate",
        lambda case, data: services.escalate_case(case, by=request.user, text=data["text"], version=data["version"]),
        done="Customer Support will decide this case. The order is frozen until then.",
    )


def _act(request: SignedInRequest, number: str, name: str, do: Do, *, done: str) -> HttpResponse:
    """One button of a case. Refused (409) or with wrong input (422) the page is shown again, with what was typed."""
    case = _case(request, number)
    try:
        check_side(case, case.order.side_of(request.user), name)
    except Refused as refused:
        return _case_page(request, case, refusal=refused.refusal, status=403)
    form = FORMS[name](request.POST, auto_id=f"id_{name}_%s")
    if not form.is_valid():
        return _case_page(request, case, name, form, status=422)
    try:
        do(case, form.cleaned_data)
    except Stale as stale:
        return _case_page(request, _case(request, number), name, form, stale=stale, status=409)
    except Refused as refused:
        return _case_page(request, _case(request, number), name, form, refusal=refused.refusal, status=409)
    messages.success(request, done)
    return redirect(case)


def _case(request: SignedInRequest, number: str) -> Case:
    """The viewer's case, on the rows that the guards look at."""
    row = get_object_or_404(Case.objects.of(request.user), number=number)
    return case_of(Order.objects.whole().get(pk=row.order_id), row.pk, clock.now())


def _case_form(request: SignedInRequest, order: Order, data: Any = None) -> CaseForm:
    side = order.side_of(request.user)
    details: dict[str, Any] = {"order": order, "side": side, "kinds": kinds_for(order, side, clock.now())}
    if data is None:
        return CaseForm(initial={"version": order.version}, **details)
    return CaseForm(data, request.FILES, **details)


def _posted_from_another_version(form: CaseForm, order: Order) -> Stale | None:
    """Kinds and reasons follow the order's state, so that a stale form is told so before its choices are judged."""
    form.is_valid()
    seen = form.cleaned_data.get("version")
    return Stale(order, seen) if seen and seen != order.version else None


def _opening_page(
    request: SignedInRequest,
    order: Order,
    form: CaseForm | None,
    *,
    refusal: Refusal | None = None,
    stale: Stale | None = None,
    status: int = 200,
) -> HttpResponse:
    if form is None:
        form = _case_form(request, order)
    elif stale or refusal:
        # Drawn anew for the order as it is now, with what was typed and without judging it.
        typed = {name: form.data.get(name, "") for name in ("kind", "reason", "statement")}
        form = _case_form(request, order)
        form.initial.update(typed)
    context = opening_context(order, request.user, form, clock.now())
    context |= {"refusal": refusal, "stale": stale, "changes": _changes(request, order, stale)}
    return render(request, "resolution/open.html", context, status=status)


def _case_page(
    request: SignedInRequest,
    case: Case,
    tried: str = "",
    form: forms.Form | None = None,
    *,
    refusal: Refusal | None = None,
    stale: Stale | None = None,
    status: int = 200,
) -> HttpResponse:
    if isinstance(form, VersionedForm):
        # What was typed is kept; the version becomes the one that is shown now.
        data = form.data.copy()  # type: ignore[attr-defined]
        data["version"] = str(case.order.version)
        form.data = data
    context = case_context(case, request.user, tried=tried, form=form)
    context |= {"refusal": refusal, "stale": stale, "changes": _changes(request, case.order, stale)}
    return render(request, "resolution/case.html", context, status=status)


def _changes(request: SignedInRequest, order: Order, stale: Stale | None) -> list[str]:
    """What has happened since the form was drawn (O19)."""
    if stale is None:
        return []
    since = Event.objects.filter(order=order, version__gt=stale.seen).select_related("actor", "milestone")
    return [sentence(event, order, request.user) for event in since if not SENTENCES[event.kind].hidden]
