"""Which steps support can take for a side: of an order, of its cases, and opening one (R6).

What charges a buyer is not among them: nobody but the buyer pays.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.backoffice.access import agent, why_not_for
from marketplace.backoffice.operating import OperatingPage, Twin, look_again, operate
from marketplace.backoffice.order_page import Button, said_of_all
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
from resolution.actions import CHANGES, OPENING, cases_of, present_among, why_not_open
from resolution.forms import OPENING_FORMS, AcceptForm, DeclineForm, EscalateForm
from resolution.locking import case_of
from resolution.models import Case
from resolution.pages import Draft
from resolution.sides import LABELS, side_for
from resolution.views.opening import Opening

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
    opening: list[Button] = field(default_factory=list)
    """Every kind of case that support could open for it."""

    @property
    def why_none_opens(self) -> Refusal | None:
        return said_of_all(self.opening)

    @property
    def kinds_possible(self) -> int:
        return sum(button.refusal is None for button in self.opening)


def sides(order: Order, viewer: User, now: datetime) -> list[Side]:
    """Both sides with their steps, each possible for this agent now or greyed with the reason.

    Of the cases those that can still be answered, withdrawn or taken to support.
    """
    party, cases = why_not_for(order, viewer), [case for case in cases_of(order, now) if present_among([case])]
    found = []
    for role, person in _people(order):
        buttons = [_button(order, name, party, now) for name in TWINS if WHO[name] == role]
        buttons += [_case_button(case, name, party) for case in cases for name in _steps_of(case, role)]
        opening = [_opening_button(order, role, kind, party, now) for kind in OPENING]
        found.append(Side(person, role, buttons, opening))
    return found


def sides_of_case(case: Case, viewer: User) -> list[Side]:
    """The same of one case's own steps; none for a case that no side can act on any more, or ever could."""
    if not present_among([case]):
        return []
    party = why_not_for(case.order, viewer)
    found = [
        Side(person, role, [_case_button(case, name, party) for name in _steps_of(case, role)])
        for role, person in _people(case.order)
    ]
    return [side for side in found if side.buttons]


def _people(order: Order) -> tuple[tuple[str, User], tuple[str, User]]:
    return (BUYER, order.buyer), (SELLER, order.seller)


def _steps_of(case: Case, role: str) -> list[str]:
    return [name for name in OF_A_CASE if side_for(case, name) == role]


def _button(order: Order, name: str, party: Refusal | None, now: datetime) -> Button:
    url = reverse("admin:orders_order_on_behalf", args=[order.pk, name])
    return Button(label_of(order, name), url, party or why_not_now(order, name, now), danger=name in DANGEROUS)


def _case_button(case: Case, name: str, party: Refusal | None) -> Button:
    url = reverse("admin:orders_order_case_on_behalf", args=[case.order_id, case.pk, name])
    refusal = party or case_actions.why_not_now(case, side_for(case, name), name)
    return Button(_case_label(case, name), url, refusal, danger=False)


def _case_label(case: Case, name: str) -> str:
    """A side may have two cases at a time, and an order its own "Accept"."""
    return gettext("Case {number}: {step}").format(number=case.number, step=LABELS[name])


def _opening_button(order: Order, role: str, kind: str, party: Refusal | None, now: datetime) -> Button:
    url = reverse("admin:orders_order_open_on_behalf", args=[order.pk, role, kind])
    return Button(_opening_label(kind), url, party or why_not_open(order, kind, role, now), danger=False)


def _opening_label(kind: str) -> str:
    asked = str(OPENING[kind])
    label = gettext("Propose: {what}") if kind in CHANGES else gettext("Open a case: {what}")
    return label.format(what=asked[0].lower() + asked[1:])


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
    if name not in OF_A_CASE or not side_for(case, name):
        raise Http404
    return operate(request, admin, partial(_case_twin, order.pk, case_id, name))


def operate_on_opening(
    request: HttpRequest, admin: "ModelAdmin[Any]", order: Order, role: str, kind: str
) -> HttpResponse:
    """Open a case for a side, on that side's own page and with a why. Refused (409, a party 403), with wrong input
    (422) or from another version (409, with what changed) nothing is done, and what was typed is kept."""
    person = dict(_people(order)).get(role)
    if person is None or kind not in OPENING:
        raise Http404
    if request.method == "POST" and case_services.settle_cases_of(order.number):
        order = Order.objects.whole().get(pk=order.pk)
    twin = Twin(order, role, _opening_label(kind), OPENING_FORMS[kind], case_services.open_case)
    page = OperatingPage(request, admin, twin)
    party = why_not_for(order, agent(request))
    if party:
        return page.draw(None, party, status=403)
    opening = Opening(request, order, person, kind, more={"why": page.why()})

    def do(draft: Draft) -> Case:
        with operated_by(agent(request), order, why=draft.form.cleaned_data["why"]):
            return opening.open(draft)

    built = opening.build(do)
    if built.case and built.draft:
        return page.done(built.draft.form.cleaned_data["why"], built.case)
    if built.draft and "version" in built.draft.form.errors:
        built = opening.again(look_again())
    return opening.draw(
        built,
        changes_since(built.stale) if built.stale else [],
        operated_for=person,
        heading=twin.title,
        up_url=twin.back,
        up_label=order.number,
    )


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
        role=side_for(case, name),
        label=_case_label(case, name),
        form=form,
        press=partial(press, case),
        refusal=case_actions.why_not_now(case, side_for(case, name), name),
        about=case,
    )


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

    built = build(request, form, terms, order.plan, do)
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
