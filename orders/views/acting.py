"""What every page of an action has in common: find, check who, bind, do, redirect; or show again what was typed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_stubs_ext import StrPromise

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from orders.actions import LABELS, check_side, why_not_now
from orders.activity import sentence
from orders.forms import VersionedForm
from orders.guards import Refusal, Refused
from orders.locking import Stale
from orders.models import Event, Milestone, Order
from orders.rehearsal import outcome_of_button
from orders.schedule import schedule_of_order
from orders.words import SENTENCES
from payments.errors import PaymentsError
from payments.models import Charge
from payments.money import display
from payments.said import said

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


def order_of(request: SignedInRequest, number: str) -> Order:
    """The viewer's order; to strangers it does not exist (404)."""
    return get_object_or_404(Order.objects.of(request.user).whole(), number=number)


@dataclass(frozen=True)
class Button:
    """A button of an order: the service it presses, and the form that the service's arguments come from."""

    name: str
    press: Callable[..., object]
    form: type[forms.Form]
    done: StrPromise
    pays: bool = False
    danger: bool = False


def page_of(button: Button) -> Callable[..., HttpResponse]:
    """The button as a page of its own, with or without JavaScript.

    GET shows the form, or why the action is not possible. POST presses the service with the milestone that the
    address names, else with the order, and goes back to the order; when it is refused (409) or the input is wrong
    (422) the page is shown again, with what was typed, what has changed, and what it would do now (R7).
    The other party of the order gets 403 with the reason, strangers 404.
    """

    @login_required
    @get_or_post
    def view(request: SignedInRequest, number: str, pk: int | None = None) -> HttpResponse:
        order = order_of(request, number)
        milestone = get_object_or_404(order.milestones, pk=pk) if pk else None
        show = partial(_page, request, button, milestone)
        try:
            check_side(order, order.side_of(request.user), button.name)
        except Refused as refused:
            return show(order, None, refused.refusal, status=403)
        if request.method != "POST":
            refusal = why_not_now(order, button.name, clock.now())
            return show(order, None if refusal else _form(button, order, initial={"version": order.version}), refusal)
        form = _form(button, order, request.POST, request.FILES)
        if not form.is_valid():
            return show(order, form, status=422)
        try:
            button.press(milestone or order, by=request.user, **form.cleaned_data)
        except Stale as stale:
            return show(stale.order, form, status=409, stale=stale)
        except Refused as refused:
            return show(order_of(request, number), form, refused.refusal, status=409)
        except PaymentsError as error:
            return show(order_of(request, number), form, Refusal(str(error)), status=409)
        if button.pays:
            return after_payment(request, number, str(button.done))
        messages.success(request, str(button.done))
        return redirect(order)

    return view


def _form(button: Button, order: Order, *args: Any, **kwargs: Any) -> forms.Form:
    """The button's form; one that pays knows the buyer's saved cards and credit."""
    if button.pays:
        kwargs |= {"payer": order.buyer, "currency": order.currency}
    return button.form(*args, **kwargs)


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
        failed = _("The payment failed: {reason} Nothing was charged; you can try again.")
        messages.error(request, failed.format(reason=said(charge.reason)))
    else:
        deciding = _("Your bank is still deciding. You need not do anything; we tell you when it is done.")
        messages.warning(request, deciding)
    return redirect(order)


def _page(
    request: SignedInRequest,
    button: Button,
    milestone: Milestone | None,
    order: Order,
    form: forms.Form | None,
    refusal: Refusal | None = None,
    *,
    status: int = 200,
    stale: Stale | None = None,
) -> HttpResponse:
    changes: list[str] = []
    if stale:
        since = Event.objects.filter(order=order, version__gt=stale.seen).select_related("actor", "milestone")
        changes = [sentence(event, order, request.user) for event in since if not SENTENCES[event.kind].hidden]
        refusal = why_not_now(order, button.name, clock.now())
    if isinstance(form, VersionedForm) and form.is_bound:
        # What was typed is kept; the version becomes the one that is shown now.
        form.data = _with(form.data, version=order.version)
    payable = order.current if button.name == "pay" else order.next_milestone
    context: dict[str, Any] = {
        "order": order,
        # What is refused has nothing to rehearse; what was refused because of a change is rehearsed anew (R7).
        "outcome": outcome_of_button(order, button.name, by=request.user) if form and not refusal else None,
        "milestone": milestone,
        "name": button.name,
        "label": LABELS[button.name],
        "form": form,
        "refusal": refusal,
        "stale": stale,
        "changes": changes,
        "danger": button.danger,
    }
    if button.pays and payable:
        context |= {"payable": payable, "schedule": schedule_of_order(order, payable), "button": _pays(button, payable)}
    if button.name == "place":
        context["rules"] = order.terms.sentences()
    return render(request, f"orders/{'pay' if button.pays else 'act'}.html", context, status=status)


def _pays(button: Button, payable: Milestone) -> str:
    """What the button says that charges: the act and its price."""
    said = {
        "pay": _("Pay {amount}"),
        "place": _("Accept the offer · pay {amount}"),
        "start": _("Start the next milestone · pay {amount}"),
        "accept_and_continue": _("Accept and continue · pay {amount}"),
    }[button.name]
    return said.format(amount=display(payable.total, payable.order.currency))


def _with(data: Mapping[str, Any], **changed: Any) -> Any:
    copied = data.copy()  # type: ignore[attr-defined]
    for key, value in changed.items():
        copied[key] = str(value)
    return copied
