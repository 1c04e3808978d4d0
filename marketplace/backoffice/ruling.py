"""How support rules: a reason and a note, then a rehearsal, then the act (R6, R7).

The rehearsal says what will happen to every cent. One flow for orders and for cases; everything is done by the
services of `resolution`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from marketplace.backoffice.access import agent
from marketplace.backoffice.order_page import before_and_after
from orders.activity import sentence
from orders.forms import PlainText
from orders.guards import Refusal, Refused
from orders.locking import Stale
from orders.models import Event, Order
from orders.operating import refuse_party
from orders.rehearsal import Rehearsal, rehearse
from payments.errors import PaymentsError
from resolution.models import Case, Reason


class RulingForm(forms.Form):
    """A valid reason and a note; the confirmation posts the version that its rehearsal was made from (O19)."""

    reason = forms.ModelChoiceField(
        Reason.objects.for_rulings(), label="Reason", empty_label="Choose a reason"
    )
    note = PlainText(
        label="Note",
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField"}),
        help_text="Both sides read it: say what you looked at, and why you decide like this.",
    )
    as_credit = forms.BooleanField(
        required=False,
        label="Refund as credit",
        help_text="Only when the buyer asks for it: otherwise it goes back the way it was paid.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)

    def __init__(self, *args: Any, refunds: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not refunds:
            del self.fields["as_credit"]


@dataclass(frozen=True)
class Ruling:
    """One of support's acts on an order: its words, the service that does it, and why it is not possible now."""

    label: str
    done: str
    order: Order
    act: Callable[..., Case]
    """Called with `by`, `reason`, `note` and `version`, and with `as_credit` if it refunds."""
    back: str
    """The address of the page that it was chosen on."""
    case: Case | None = None
    refusal: Refusal | None = None
    danger: bool = True
    refunds: bool = True


def rule(request: HttpRequest, admin: "ModelAdmin[Any]", ruling: Ruling) -> HttpResponse:
    """One act of support's: GET asks for reason and note, POST rehearses, POST with `confirm` does it.

    Refused (409, a party 403) or with wrong input (422) the form is shown again with what was typed. When the order
    has changed since its rehearsal nothing is done, and the new rehearsal is shown (409).
    """
    page = RulingPage(request, admin, ruling)
    try:
        refuse_party(ruling.order, agent(request))
    except Refused as refused:
        return page.form(None, refused.refusal, status=403)
    if request.method != "POST":
        return page.form(RulingForm(refunds=ruling.refunds), ruling.refusal)
    form = RulingForm(request.POST, refunds=ruling.refunds)
    if "edit" in request.POST:
        return page.form(RulingForm(initial=request.POST.dict(), refunds=ruling.refunds))
    if not form.is_valid():
        return page.form(form, status=422)
    if "confirm" in request.POST and form.cleaned_data["version"]:
        return _do(page, form)
    return _rehearse(page, form)


@dataclass(frozen=True)
class RulingPage:
    request: HttpRequest
    admin: "ModelAdmin[Any]"
    ruling: Ruling

    def act(self, form: RulingForm, *, version: int | None = None) -> Case:
        return self.ruling.act(by=agent(self.request), **{**form.cleaned_data, "version": version})

    def form(
        self,
        form: RulingForm | None,
        refusal: Refusal | None = None,
        *,
        stale: Stale | None = None,
        status: int = 200,
    ) -> HttpResponse:
        return self._draw("form", {"form": form, "refusal": refusal}, stale, status)

    def confirmation(self, form: RulingForm, rehearsal: Rehearsal, stale: Stale | None) -> HttpResponse:
        details = {"rehearsal": rehearsal, "cents": before_and_after(rehearsal), **form.cleaned_data}
        return self._draw("confirm", details, stale, 409 if stale else 200)

    def _draw(self, name: str, details: dict[str, Any], stale: Stale | None, status: int) -> HttpResponse:
        context = {
            **self.admin.admin_site.each_context(self.request),
            "opts": self.admin.opts,
            "title": self.ruling.label,
            "ruling": self.ruling,
            "order": self.ruling.order,
            "changes": changes_since(stale) if stale else [],
            "stale": stale,
            **details,
        }
        return TemplateResponse(self.request, f"admin/resolution/{name}_ruling.html", context, status=status)


def _rehearse(page: RulingPage, form: RulingForm, stale: Stale | None = None) -> HttpResponse:
    try:
        rehearsal = rehearse(page.ruling.order, lambda: page.act(form))
    except Refused as refused:
        return page.form(form, refused.refusal, stale=stale, status=409)
    except PaymentsError as error:
        return page.form(form, Refusal(str(error)), stale=stale, status=409)
    return page.confirmation(form, rehearsal, stale)


def _do(page: RulingPage, form: RulingForm) -> HttpResponse:
    try:
        case = page.act(form, version=form.cleaned_data["version"])
    except Stale as stale:
        return _rehearse(page, form, stale)
    except Refused as refused:
        return page.form(form, refused.refusal, status=409)
    except PaymentsError as error:
        return page.form(form, Refusal(str(error)), status=409)
    # Its own commit: what the clock owes the order is committed before the act, so no transaction is wrapped around.
    as_credit = " (refunded as credit)" if form.cleaned_data.get("as_credit") else ""
    said = f"{page.ruling.label}, case {case.number}{as_credit}: {case.ruling_reason}. {case.note}"
    for subject in (page.ruling.order, case):
        page.admin.log_change(page.request, subject, said)
    messages.success(page.request, f"{page.ruling.done} Both sides are told.")
    return HttpResponseRedirect(page.ruling.back)


def changes_since(stale: Stale) -> list[str]:
    """What has happened since the rehearsal (O19)."""
    since = Event.objects.filter(order=stale.order, version__gt=stale.seen).select_related("actor", "milestone")
    return [sentence(event, stale.order, None) for event in since]
