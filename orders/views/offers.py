"""Custom offers: asked for by buyers, sent and edited by sellers (G2, G3)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.requests import SignedInRequest
from marketplace.catalog import plans
from marketplace.catalog.models import Gig, Terms
from orders import services
from orders.actions import check_side, why_not_now
from orders.forms import AskForm, OfferForm
from orders.guards import Refused
from orders.locking import Stale
from orders.models import Milestone, OfferRequest, Order
from orders.views.acting import get_or_post, order_of
from orders.views.once import number_of, token_for

Do = Callable[[OfferForm, list[plans.PlannedMilestone]], Order]


@login_required
@get_or_post
def ask_offer(request: SignedInRequest, slug: str) -> HttpResponse:
    """Ask the seller of a gig for a custom offer."""
    gig = get_object_or_404(Gig.objects.for_sale().select_related("seller"), slug=slug)
    form = AskForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            services.ask_offer(by=request.user, seller=gig.seller, text=form.cleaned_data["text"], gig=gig)
        except Refused as refused:
            form.add_error(None, refused.refusal.reason)
        else:
            said = _("{seller} was asked; the offer will appear among your orders.")
            messages.success(request, said.format(seller=gig.seller.name))
            return redirect("bought")
    return render(request, "orders/ask.html", {"gig": gig, "form": form}, status=422 if form.errors else 200)


@login_required
@get_or_post
def send_offer(request: SignedInRequest) -> HttpResponse:
    """Build an offer, perhaps from what a buyer asked for, and send it."""
    terms = Terms.objects.in_force()
    asked = _asked(request)
    initial = {"buyer": request.GET.get("buyer", ""), "currency": "USD", "once": token_for(request)}
    steps: Iterable[plans.Planned] = ()
    if asked:
        source = asked.again or asked.gig
        initial |= {"buyer": asked.buyer.handle, "title": source.title if source else ""}
        if source:
            initial["currency"] = source.currency
        if asked.again:
            steps = [step for step in asked.again.plan if step.status == Milestone.Status.NOT_STARTED]
        elif asked.gig:
            steps = asked.gig.plan.all()

    def do(form: OfferForm, plan: list[plans.PlannedMilestone]) -> Order:
        data = form.cleaned_data
        return services.send_offer(
            by=request.user,
            buyer=data["buyer"],
            title=data["title"],
            brief=data["brief"],
            currency=data["currency"],
            plan=plan,
            gig=asked.gig if asked else None,
            request=asked,
            number=number_of(request, data["once"]) if data["once"] else None,
        )

    done = _("The offer is sent. {buyer} can accept it now.")
    return _builder(request, terms, initial, steps, do, heading=_("Send an offer"), done=done, asked=asked)


@login_required
@get_or_post
def edit_offer(request: SignedInRequest, number: str) -> HttpResponse:
    order = order_of(request, number)
    try:
        check_side(order, order.side_of(request.user), "edit_offer")
    except Refused as refused:
        return _refused(request, order, refused, 403)
    refusal = why_not_now(order, "edit_offer", clock.now())
    if refusal:
        return _refused(request, order, Refused(refusal), 409)

    def do(form: OfferForm, plan: list[plans.PlannedMilestone]) -> Order:
        data = form.cleaned_data
        return services.edit_offer(
            order,
            by=request.user,
            title=data["title"],
            brief=data["brief"],
            plan=plan,
            version=data["version"] or 0,
        )

    return _builder(
        request,
        Terms.objects.in_force(),
        offer_as_it_is(order),
        order.plan,
        do,
        heading=_("Edit the offer"),
        done=_("The offer is changed. {buyer} can accept it now."),
        fixed=("buyer", "currency"),
    )


def _asked(request: SignedInRequest) -> OfferRequest | None:
    wanted = request.GET.get("request", "")
    if not wanted:
        return None
    requests = OfferRequest.objects.select_related("buyer", "gig", "again").filter(seller=request.user)
    is_number = wanted.isascii() and wanted.isdigit() and len(wanted) < 18
    return get_object_or_404(requests, pk=int(wanted) if is_number else 0)


def offer_as_it_is(order: Order) -> dict[str, Any]:
    """What the offer builder begins with when it changes an offer."""
    return {
        "buyer": order.buyer.handle,
        "title": order.title,
        "brief": order.brief,
        "currency": order.currency,
        "version": order.version,
    }


def _builder(
    request: SignedInRequest,
    terms: Terms,
    initial: dict[str, Any],
    steps: Iterable[plans.Planned],
    do: Do,
    *,
    heading: str,
    done: str,
    fixed: tuple[str, ...] = (),
    asked: OfferRequest | None = None,
) -> HttpResponse:
    form = offer_form(request, terms, initial, seller=request.user, fixed=fixed)
    built = build(request, form, terms, steps, do)
    if built.order:
        messages.success(request, done.format(buyer=built.order.buyer.name))
        return redirect(built.order)
    context = {
        "form": form,
        "formset": built.formset,
        "heading": heading,
        "asked": asked,
        "terms": terms,
        "up_url": "/sales/",
        "up_label": _("Sales"),
    }
    return render(request, "orders/offer.html", context, status=422 if built.failed else 200)


def offer_form(
    request: HttpRequest, terms: Terms, initial: dict[str, Any], *, seller: User, fixed: tuple[str, ...] = ()
) -> OfferForm:
    """The offer builder's form as it was posted; what is `fixed` is what it was, whatever was posted."""
    data = request.POST.dict() if request.method == "POST" else None
    form = OfferForm(data, initial=initial, seller=seller, terms=terms)
    for name in fixed:
        form.fields[name].disabled = True
        form.fields[name].widget = forms.HiddenInput()
    return form


@dataclass(frozen=True)
class Built:
    """What came of an offer builder: the `order` that was sent or changed, or what to show again, and why."""

    formset: plans.PlanFormSet
    order: Order | None = None
    failed: bool = False
    refused: Refused | None = None


def build(
    request: HttpRequest,
    form: OfferForm,
    terms: Terms,
    steps: Iterable[plans.Planned],
    do: Do,
) -> Built:
    """The offer builder: its plan buttons draw the page again, its own button sends. What was typed is kept."""
    currency = _currency(form, terms)
    change = plans.asked_change(request.POST)
    if not form.is_bound:
        return Built(plans.PlanFormSet(currency=currency, terms=terms, rows=plans.rows_of(steps, currency or "USD")))
    if change:
        form.errors.clear()
        return Built(plans.PlanFormSet.changed(request.POST, change, currency=currency, terms=terms))
    formset = plans.PlanFormSet(request.POST, currency=currency, terms=terms)
    valid = form.is_valid()
    if not (formset.is_valid() and valid):
        return Built(formset, failed=True)
    try:
        return Built(formset, order=do(form, formset.plan()))
    except Refused as refused:
        form.add_error(None, refused.refusal.reason)
        # What was typed is kept, and can be sent again: whoever does so has been told why it was refused.
        again = {"version": refused.order.version} if isinstance(refused, Stale) else {}
        form.data = {**form.data, **again, "once": token_for(request)}
        return Built(formset, failed=True, refused=refused)


def _currency(form: OfferForm, terms: Terms) -> str | None:
    chosen = str(form["currency"].value())
    return chosen if chosen in terms.price_limits else None


def _refused(request: SignedInRequest, order: Order, refused: Refused, status: int) -> HttpResponse:
    context = {"order": order, "label": _("Edit the offer"), "refusal": refused.refusal}
    return render(request, "orders/act.html", context, status=status)
