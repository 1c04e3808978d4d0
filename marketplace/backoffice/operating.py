"""Support takes a step for one of the two sides, by the form and the service of that side's own page (R6).

What charges a buyer is not among the steps: nobody but the buyer pays.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.backoffice.access import agent
from marketplace.backoffice.order_page import Button, before_and_after
from marketplace.backoffice.ruling import changes_since
from marketplace.catalog.models import Terms
from marketplace.catalog.plans import PlannedMilestone
from orders import services
from orders.actions import BUYER, OF_THE_ORDER, SELLER, WHO, label_of, subject_of, why_not_now
from orders.forms import OfferForm, PlainText, VersionedForm
from orders.guards import Refusal, Refused
from orders.locking import Stale
from orders.models import Order
from orders.operating import operated_by, refuse_party
from orders.rehearsal import Rehearsal, rehearse
from orders.views.buttons import BUTTONS
from orders.views.offers import build, offer_as_it_is, offer_form
from payments.errors import PaymentsError

# Ordering again is a step of the next order, not of this one.
TWINS = tuple(name for name in WHO if name != "order_again" and not (name in BUTTONS and BUTTONS[name].pays))
DANGEROUS = tuple(name for name, button in BUTTONS.items() if button.danger)
LOOK_AGAIN = Refusal("The order may have changed. Nothing was done; look again.")


@dataclass(frozen=True)
class Side:
    """One of the two sides, and every step that support could ever take for it (P1)."""

    person: User
    role: str
    buttons: list[Button]


def sides(order: Order, viewer: User, now: datetime) -> list[Side]:
    """Both sides with their steps, each possible for this agent now or greyed with the reason."""
    return [
        Side(person, role, [_button(order, name, viewer, now) for name in TWINS if WHO[name] == role])
        for role, person in ((BUYER, order.buyer), (SELLER, order.seller))
    ]


def _button(order: Order, name: str, viewer: User, now: datetime) -> Button:
    url = reverse("admin:orders_order_on_behalf", args=[order.pk, name])
    refusal = _why_not_for(order, viewer) or why_not_now(order, name, now)
    return Button(label_of(order, name), url, refusal, danger=name in DANGEROUS)


def _why_not_for(order: Order, viewer: User) -> Refusal | None:
    try:
        refuse_party(order, viewer)
    except Refused as refused:
        return refused.refusal
    return None


def operate_on(request: HttpRequest, admin: "ModelAdmin[Any]", order: Order, name: str) -> HttpResponse:
    """GET asks what the side's own page asks, and why; POST takes the step and goes back to the order.

    A step that asks for nothing shows what it would do, rehearsed with the real code (R7). Refused (409, a party
    403), with wrong input (422) or from another version of the order (409, with what changed) nothing is done, and
    the form is shown again with what was typed.
    """
    if name not in TWINS:
        raise Http404
    page = OperatingPage(request, admin, order, name)
    refusal = _why_not_for(order, agent(request))
    if refusal:
        return page.draw(None, refusal, status=403)
    if name == "edit_offer":
        return _edit_offer(page)
    if request.method != "POST":
        refusal = why_not_now(order, name, clock.now())
        return page.draw(None if refusal else page.form(initial={"version": order.version}), refusal)
    form = page.form(request.POST, request.FILES)
    if not form.is_valid():
        return _again(page, LOOK_AGAIN) if "version" in form.errors else page.draw(form, status=422)
    data = form.cleaned_data
    try:
        page.act(**data)
    except Stale as stale:
        return _again(page, stale=stale)
    except Refused as refused:
        return _again(page, refused.refusal)
    except PaymentsError as error:
        return _again(page, Refusal(str(error)))
    return page.done(data["why"])


@dataclass(frozen=True)
class OperatingPage:
    request: HttpRequest
    admin: "ModelAdmin[Any]"
    order: Order
    name: str

    @property
    def label(self) -> str:
        return label_of(self.order, self.name)

    @property
    def title(self) -> str:
        return f"{self.label}, for {self.person.name}"

    @property
    def person(self) -> User:
        """Whom the step is taken for."""
        return self.order.buyer if WHO[self.name] == BUYER else self.order.seller

    @property
    def back(self) -> str:
        return reverse("admin:orders_order_change", args=[self.order.pk])

    def form(self, *args: Any, **kwargs: Any) -> forms.Form:
        """The form of the side's own page, and why support fills it in."""
        form = BUTTONS[self.name].form(*args, **kwargs)
        form.fields["why"] = self.why()
        for field in form.fields.values():
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs["class"] = "vLargeTextField"
        return form

    def why(self) -> forms.Field:
        """Why support takes the step; the activity tells it in the same line, so it is short."""
        said = f"Both sides read it: say why you do this for {self.person.name}."
        return PlainText(label="Why", max_length=300, widget=forms.Textarea(attrs={"rows": 2}), help_text=said)

    def done(self, why: str) -> HttpResponse:
        """Log the step and go back. In a commit of its own: what the clock owes is committed before the act, so no
        transaction is wrapped around both."""
        self.admin.log_change(self.request, self.order, f"{self.title}: {why}")
        messages.success(self.request, f"{self.label}: done for {self.person.name}. Both sides are told.")
        return HttpResponseRedirect(self.back)

    def act(self, *, why: str, **data: Any) -> None:
        """Take the step. Raises `Refused`, `Stale`, `PaymentsError`."""
        subject = self.order if self.name in OF_THE_ORDER else subject_of(self.order, self.name)
        with operated_by(agent(self.request), self.order, why=why):
            BUTTONS[self.name].press(subject, by=self.person, **data)

    def draw(
        self, form: forms.Form | None, refusal: Refusal | None = None, stale: Stale | None = None, *, status: int = 200
    ) -> HttpResponse:
        rehearsal = None if form is None or refusal else self._rehearsed()
        if isinstance(rehearsal, Refusal):
            refusal, rehearsal = rehearsal, None
        context = {
            **self.admin.admin_site.each_context(self.request),
            "opts": self.admin.opts,
            "title": self.title,
            "label": self.label,
            "person": self.person,
            "role": WHO[self.name],
            "order": self.order,
            "danger": self.name in DANGEROUS,
            "form": form,
            "refusal": refusal,
            "stale": stale,
            "changes": changes_since(stale) if stale else [],
            "rehearsal": rehearsal,
            "cents": before_and_after(rehearsal) if rehearsal else [],
            "back": self.back,
        }
        return TemplateResponse(self.request, "admin/orders/order/on_behalf.html", context, status=status)

    def _rehearsed(self) -> Rehearsal | Refusal | None:
        """What the step would do; None for one that first has to be filled in."""
        if BUTTONS[self.name].form is not VersionedForm:
            return None
        try:
            # Nobody reads the why of a rehearsal: its notices are taken back with it.
            return rehearse(self.order, partial(self.act, why="…", version=self.order.version))
        except Refused as refused:
            return refused.refusal
        except PaymentsError as error:
            return Refusal(str(error))


def _again(page: OperatingPage, refusal: Refusal | None = None, stale: Stale | None = None) -> HttpResponse:
    """The form drawn anew from the order as it is now, with what was typed."""
    page = replace(page, order=Order.objects.whole().get(pk=page.order.pk))
    form = page.form(initial={**page.request.POST.dict(), "version": page.order.version})
    refusal = refusal or why_not_now(page.order, page.name, clock.now())
    return page.draw(form, refusal, stale, status=409)


def _edit_offer(page: OperatingPage) -> HttpResponse:
    """The seller's own offer builder, and why. Refused it is 409, with wrong input 422; what was typed is kept."""
    request, order = page.request, page.order
    refusal = why_not_now(order, page.name, clock.now())
    if refusal:
        return page.draw(None, refusal, status=409 if request.method == "POST" else 200)
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
        "heading": page.title,
        "terms": terms,
        "operated_for": order.seller,
        "changes": changes_since(built.refused) if isinstance(built.refused, Stale) else [],
        "up_url": page.back,
        "up_label": order.number,
    }
    status = 409 if built.refused else 422 if built.failed else 200
    return render(request, "orders/offer.html", context, status=status)
