"""What every page of an action has in common: find, check who, bind, do, redirect; or show again what was typed."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from orders.actions import LABELS, check_side, why_not_now
from orders.activity import sentence
from orders.forms import VersionedForm
from orders.guards import Refusal, Refused
from orders.locking import Stale
from orders.models import Event, Milestone, Order
from payments.errors import PaymentsError
from payments.models import Charge

Do = Callable[[Order, Any, dict[str, Any]], object]


def order_of(request: SignedInRequest, number: str) -> Order:
    """The viewer's order; to strangers it does not exist (404)."""
    return get_object_or_404(Order.objects.of(request.user).whole(), number=number)


def act(
    request: SignedInRequest,
    number: str,
    name: str,
    form_class: type[forms.Form],
    do: Do,
    *,
    milestone_id: int | None = None,
    done: str = "",
    pays: bool = False,
    danger: bool = False,
) -> HttpResponse:
    """One action of an order as a page of its own, with or without JavaScript.

    GET shows the form, or why the action is not possible. POST does it and goes back to the order; when it is
    refused (409) or the input is wrong (422) the page is shown again, with what was typed and what has changed.
    The other party of the order gets 403 with the reason, strangers 404.
    """
    order = order_of(request, number)
    milestone = get_object_or_404(order.milestones, pk=milestone_id) if milestone_id else None
    try:
        check_side(order, order.side_of(request.user), name)
    except Refused as refused:
        return _page(request, order, milestone, name, None, refused.refusal, status=403, danger=danger)
    if request.method != "POST":
        refusal = why_not_now(order, name, clock.now())
        form = form_class(initial={"version": order.version})
        return _page(request, order, milestone, name, None if refusal else form, refusal, danger=danger)
    form = form_class(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, order, milestone, name, form, None, status=422, danger=danger)
    try:
        do(order, milestone, form.cleaned_data)
    except Stale as stale:
        return _page(request, stale.order, milestone, name, form, None, status=409, danger=danger, stale=stale)
    except Refused as refused:
        order = order_of(request, number)
        return _page(request, order, milestone, name, form, refused.refusal, status=409, danger=danger)
    except PaymentsError as error:
        order = order_of(request, number)
        return _page(request, order, milestone, name, form, Refusal(str(error)), status=409, danger=danger)
    return after_payment(request, number, done) if pays else after(request, order, done)


def after(request: SignedInRequest, order: Order, done: str) -> HttpResponse:
    messages.success(request, done)
    return redirect(order)


def after_payment(request: SignedInRequest, number: str, done: str) -> HttpResponse:
    """Back to the order with what the provider said; to the bank's page when the buyer must confirm there."""
    order = order_of(request, number)
    paid = [milestone.last_charge for milestone in order.plan if milestone.last_charge]
    charge = max(paid, key=lambda charge: charge.pk, default=None)
    if charge is None or charge.status == Charge.Status.SUCCEEDED:
        messages.success(request, done)
    elif charge.status == Charge.Status.ACTION_NEEDED:
        return redirect(charge.action_url)
    elif charge.status == Charge.Status.FAILED:
        messages.error(request, f"The payment failed: {charge.reason} Nothing was charged; you can try again.")
    else:
        messages.warning(request, "Your bank is still deciding. You need not do anything; we tell you when it is done.")
    return redirect(order)


def _page(
    request: SignedInRequest,
    order: Order,
    milestone: Milestone | None,
    name: str,
    form: forms.Form | None,
    refusal: Refusal | None,
    *,
    status: int = 200,
    danger: bool = False,
    stale: Stale | None = None,
) -> HttpResponse:
    changes: list[str] = []
    if stale:
        since = Event.objects.filter(order=order, version__gt=stale.seen).select_related("actor", "milestone")
        changes = [sentence(event, order, request.user) for event in since]
        refusal = why_not_now(order, name, clock.now()) or None
    if isinstance(form, VersionedForm) and form.is_bound:
        # What was typed is kept; the version becomes the one that is shown now.
        form.data = _with(form.data, version=order.version)
    context = {
        "order": order,
        "milestone": milestone,
        "name": name,
        "label": LABELS[name],
        "form": form,
        "refusal": refusal,
        "stale": stale,
        "changes": changes,
        "danger": danger,
        "payable": order.current if name == "pay" else order.next_milestone,
    }
    return render(request, f"orders/{template_of(name)}.html", context, status=status)


def template_of(name: str) -> str:
    return "pay" if name in ("place", "pay", "start", "accept_and_continue") else "act"


def _with(data: Mapping[str, Any], **changed: Any) -> Any:
    copied = data.copy()  # type: ignore[attr-defined]
    for key, value in changed.items():
        copied[key] = str(value)
    return copied
