"""Which steps support can take for a side: of an order and of its cases (R6).

What charges a buyer is not among them: nobody but the buyer pays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.backoffice.access import agent, why_not_for
from marketplace.backoffice.operating import OperatingPage, Twin, operate
from marketplace.backoffice.order_page import Button
from marketplace.backoffice.ruling import changes_since
from marketplace.catalog.models import Terms
from marketplace.catalog.plans import PlannedMilestone
from orders import services
from orders.actions import BUYER, OF_THE_ORDER, SELLER, WHO, label_of, subject_of, why_not_now
from orders.forms import OfferForm, VersionedForm
from orders.guards import Refusal
from orders.locking import Stale
from orders.models import Order
from orders.operating import operated_by
from orders.views.buttons import BUTTONS
from orders.views.offers import build, offer_as_it_is, offer_form
from resolution import actions as case_actions
from resolution import services as case_services
from resolution import sides as case_sides
from resolution.forms import AcceptForm, DeclineForm, EscalateForm
from resolution.locking import case_of
from resolution.models import Case

# Ordering again is a step of the next order, not of this one.
TWINS = tuple(name for name in WHO if name != "order_again" and not (name in BUTTONS and BUTTONS[name].pays))
DANGEROUS = tuple(name for name, button in BUTTONS.items() if button.danger)

OF_A_CASE: dict[str, tuple[Callable[..., Case], type[forms.Form]]] = {
    "accept": (case_services.accept_case, AcceptForm),
    "decline": (case_services.decline_case, DeclineForm),
    "withdraw": (case_services.withdraw_case, VersionedForm),
    "escalate": (case_services.escalate_case, EscalateForm),
}


@dataclass(frozen=True)
class Side:
    """One of the two sides, and every step that support could ever take for it (P1)."""

    person: User
    role: str
    buttons: list[Button]


def sides(order: Order, viewer: User, now: datetime) -> list[Side]:
    """Both sides with their steps, each possible for this agent now or greyed with the reason.

    Of the cases those that can still be answered, withdrawn or taken to support.
    """
    party, cases = why_not_for(order, viewer), _unsettled(order, now)
    found = []
    for role, person in ((BUYER, order.buyer), (SELLER, order.seller)):
        buttons = [_button(order, name, party, now) for name in TWINS if WHO[name] == role]
        buttons += [_case_button(case, name, party) for case, name in _steps(cases) if _side(case, name) == role]
        found.append(Side(person, role, buttons))
    return found


def _button(order: Order, name: str, party: Refusal | None, now: datetime) -> Button:
    url = reverse("admin:orders_order_on_behalf", args=[order.pk, name])
    return Button(label_of(order, name), url, party or why_not_now(order, name, now), danger=name in DANGEROUS)


def _case_button(case: Case, name: str, party: Refusal | None) -> Button:
    url = reverse("admin:orders_order_case_on_behalf", args=[case.order_id, case.pk, name])
    return Button(_case_label(case, name), url, party or _why_not(case, name), danger=False)


def operate_on(request: HttpRequest, admin: "ModelAdmin[Any]", order: Order, name: str) -> HttpResponse:
    """A step of the order, for its side."""
    if name not in TWINS:
        raise Http404
    if name == "edit_offer":
        label, refusal = label_of(order, name), why_not_now(order, name, clock.now())
        press = partial(services.edit_offer, order)
        return _edit_offer(OperatingPage(request, admin, Twin(order, SELLER, label, OfferForm, press, refusal)))
    return operate(request, admin, partial(_twin, order.pk, name))


def operate_on_case(
    request: HttpRequest, admin: "ModelAdmin[Any]", order: Order, case_id: int, name: str
) -> HttpResponse:
    """A step of one of the order's cases, for its side; a case that support or the clock opened has none."""
    case = case_of(order, get_object_or_404(order.cases, pk=case_id).pk, clock.now())
    if name not in OF_A_CASE or not _side(case, name):
        raise Http404
    return operate(request, admin, partial(_case_twin, order.pk, case_id, name))


def _twin(order_id: int, name: str) -> Twin:
    order, button = Order.objects.whole().get(pk=order_id), BUTTONS[name]
    return Twin(
        order=order,
        role=WHO[name],
        label=label_of(order, name),
        form=button.form,
        press=partial(button.press, order if name in OF_THE_ORDER else subject_of(order, name)),
        refusal=why_not_now(order, name, clock.now()),
        danger=button.danger,
    )


def _case_twin(order_id: int, case_id: int, name: str) -> Twin:
    order = Order.objects.whole().get(pk=order_id)
    case = case_of(order, case_id, clock.now())
    press, form = OF_A_CASE[name]
    return Twin(
        order=order,
        role=_side(case, name),
        label=_case_label(case, name),
        form=form,
        press=partial(press, case),
        refusal=_why_not(case, name),
        about=case,
    )


def _unsettled(order: Order, now: datetime) -> list[Case]:
    """The cases with a step left, on the rows that their guards look at."""
    cases = list(order.cases.filter(status__in=(*Case.PENDING, Case.Status.DECLINED)).select_related("reason"))
    for case in cases:
        case.order, case.moment = order, now
        case.milestone = next((step for step in order.plan if step.pk == case.milestone_id), None)
    return [case for case in cases if case.is_pending or case.can_go_to_support]


def _steps(cases: list[Case]) -> list[tuple[Case, str]]:
    return [(case, name) for case in cases for name in OF_A_CASE]


def _side(case: Case, name: str) -> str:
    return case_sides.side_for(case, name)


def _why_not(case: Case, name: str) -> Refusal | None:
    return case_actions.why_not_now(case, _side(case, name), name)


def _case_label(case: Case, name: str) -> str:
    """ "Decline case RC-1A2B-3C4D": a side may have two cases at a time, and an order its own "Accept"."""
    return {
        "accept": f"Accept case {case.number}",
        "decline": f"Decline case {case.number}",
        "withdraw": f"Withdraw case {case.number}",
        "escalate": f"Take case {case.number} to Customer Support",
    }[name]


def _edit_offer(page: OperatingPage) -> HttpResponse:
    """The seller's own offer builder, and why. Refused it is 409, with wrong input 422; what was typed is kept."""
    request, twin, order = page.request, page.twin, page.twin.order
    refusal = why_not_for(order, agent(request))
    if refusal:
        return page.draw(None, refusal, status=403)
    if twin.refusal:
        return page.draw(None, twin.refusal, status=409 if request.method == "POST" else 200)
    terms, initial = Terms.objects.in_force(), offer_as_it_is(order)
    form = offer_form(request, terms, initial, seller=order.seller, fixed=("buyer", "currency"))
    form.fields["why"] = page.why()

    def do(form: OfferForm, plan: list[PlannedMilestone]) -> Order:
        given = {name: form.cleaned_data[name] for name in ("title", "brief")}
        with operated_by(agent(request), order, why=form.cleaned_data["why"]):
            version = form.cleaned_data["version"] or 0
            return services.edit_offer(order, by=order.seller, plan=plan, version=version, **given)

    built = build(request, form, terms, initial, order.plan, do)
    if built.order:
        return page.done(form.cleaned_data["why"])
    context = {
        "form": form,
        "formset": built.formset,
        "heading": twin.title,
        "terms": terms,
        "operated_for": order.seller,
        "changes": changes_since(built.refused) if isinstance(built.refused, Stale) else [],
        "up_url": twin.back,
        "up_label": order.number,
    }
    status = 409 if built.refused else 422 if built.failed else 200
    return render(request, "orders/offer.html", context, status=status)
