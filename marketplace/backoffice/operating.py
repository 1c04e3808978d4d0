"""How support takes a step for one of the two sides: by the form and the service of that side's own page (R6)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.backoffice.access import agent, why_not_for
from marketplace.backoffice.order_page import before_and_after
from marketplace.backoffice.ruling import changes_since
from orders.actions import BUYER
from orders.forms import PlainText
from orders.guards import Refusal, Refused
from orders.locking import Stale
from orders.models import Order
from orders.operating import operated_by
from orders.rehearsal import Rehearsal, rehearse
from payments.errors import PaymentsError
from resolution.services import settle_cases_of


def look_again() -> Refusal:
    return Refusal(gettext("The order may have changed. Nothing was done; look again."))


@dataclass(frozen=True)
class Twin:
    """A side's step as support takes it: whose, by which form and service, and why it is not possible now."""

    order: Order
    role: str
    label: str
    form: type[forms.Form]
    press: Callable[..., object]
    """Called with `by`, the side, and with what the form asks."""
    refusal: Refusal | None = None
    danger: bool = False
    about: Model | None = None
    """What else Django's log speaks of than the order."""

    @property
    def person(self) -> User:
        return self.order.buyer if self.role == BUYER else self.order.seller

    @property
    def title(self) -> str:
        return gettext("{step}, for {person}").format(step=self.label, person=self.person.name)

    @property
    def back(self) -> str:
        return reverse("admin:orders_order_change", args=[self.order.pk])


def operate(request: HttpRequest, admin: "ModelAdmin[Any]", find: Callable[[], Twin]) -> HttpResponse:
    """GET asks what the side's own page asks, and why; POST takes the step and goes back to the order.

    A step that needs nothing else shows what it would do, rehearsed with the real code (R7). Refused (409, a party
    403), with wrong input (422) or from another version of the order (409, with what changed) nothing is done, and
    the form is shown again with what was typed. `find` reads the step anew.
    """
    page = OperatingPage(request, admin, find())
    if request.method == "POST" and settle_cases_of(page.twin.order.number):
        page = OperatingPage(request, admin, find())
    twin = page.twin
    refusal = why_not_for(twin.order, agent(request))
    if refusal:
        return page.draw(None, refusal, status=403)
    if request.method != "POST":
        return page.draw(None if twin.refusal else page.form(initial={"version": twin.order.version}), twin.refusal)
    form = page.form(request.POST, request.FILES)
    if not form.is_valid():
        return _again(page, find, look_again()) if "version" in form.errors else page.draw(form, status=422)
    data = form.cleaned_data
    try:
        page.act(**data)
    except Stale as stale:
        return _again(page, find, stale=stale)
    except Refused as refused:
        return _again(page, find, refused.refusal)
    except PaymentsError as error:
        return _again(page, find, Refusal(str(error)))
    return page.done(data["why"])


def _again(
    page: "OperatingPage", find: Callable[[], Twin], refusal: Refusal | None = None, stale: Stale | None = None
) -> HttpResponse:
    """The form drawn anew from the order as it is now, with what was typed."""
    page = OperatingPage(page.request, page.admin, find())
    form = page.form(initial={**page.request.POST.dict(), "version": page.twin.order.version})
    return page.draw(form, refusal or page.twin.refusal, stale, status=409)


@dataclass(frozen=True)
class OperatingPage:
    request: HttpRequest
    admin: "ModelAdmin[Any]"
    twin: Twin

    def form(self, *args: Any, **kwargs: Any) -> forms.Form:
        """The form of the side's own page, and why support fills it in."""
        form = self.twin.form(*args, **kwargs)
        form.fields["why"] = self.why()
        for field in form.fields.values():
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs["class"] = "vLargeTextField"
        return form

    def why(self) -> forms.Field:
        """Why support takes the step; the activity tells it in the same line, so it is short."""
        label = gettext("Why you do this for {person}").format(person=self.twin.person.name)
        return PlainText(
            label=label, max_length=300, widget=forms.Textarea(attrs={"rows": 2}), help_text=_("Both sides read it.")
        )

    def act(self, *, why: str, **data: Any) -> None:
        """Take the step. Raises `Refused`, `Stale`, `PaymentsError`."""
        with operated_by(agent(self.request), self.twin.order, why=why):
            self.twin.press(by=self.twin.person, **data)

    def done(self, why: str, opened: Model | None = None) -> HttpResponse:
        """Log the step, also on the case that it `opened`, and go back. In a commit of its own: what the clock owes is
        committed before the act, so no transaction is wrapped around both."""
        for subject in filter(None, (self.twin.order, self.twin.about, opened)):
            self.admin.log_change(self.request, subject, gettext("{what}: {why}").format(what=self.twin.title, why=why))
        said = gettext("{step}: done for {person}. Both sides are told.")
        messages.success(self.request, said.format(step=self.twin.label, person=self.twin.person.name))
        return HttpResponseRedirect(self.twin.back)

    def draw(
        self, form: forms.Form | None, refusal: Refusal | None = None, stale: Stale | None = None, *, status: int = 200
    ) -> HttpResponse:
        rehearsal = None if form is None or refusal else self._rehearsed(form)
        if isinstance(rehearsal, Refusal):
            refusal, rehearsal = rehearsal, None
        context = {
            **self.admin.admin_site.each_context(self.request),
            "opts": self.admin.opts,
            "title": self.twin.title,
            "twin": self.twin,
            "order": self.twin.order,
            "form": form,
            "refusal": refusal,
            "stale": stale,
            "changes": changes_since(stale) if stale else [],
            "rehearsal": rehearsal,
            "cents": before_and_after(rehearsal) if rehearsal else [],
        }
        return TemplateResponse(self.request, "admin/orders/order/on_behalf.html", context, status=status)

    def _rehearsed(self, form: forms.Form) -> Rehearsal | Refusal | None:
        """What the step would do; None for one that first has to be filled in."""
        if any(field.required for name, field in form.fields.items() if name not in ("version", "why")):
            return None
        try:
            # Nobody reads the why of a rehearsal: its notices are taken back with it.
            return rehearse(self.twin.order, partial(self.act, why="…", version=self.twin.order.version))
        except Refused as refused:
            return refused.refusal
        except PaymentsError as error:
            return Refusal(str(error))
