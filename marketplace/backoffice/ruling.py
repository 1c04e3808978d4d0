"""How support rules: a reason and a note, then a rehearsal, then the act (R6, R7).

The rehearsal says what will happen to every cent. One flow for orders and for cases; everything is done by the
services of `resolution`.
"""

from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.backoffice.access import agent, why_not_for
from marketplace.backoffice.acts import Act
from marketplace.backoffice.order_page import before_and_after
from marketplace.backoffice.queue import open_next
from marketplace.catalog.plans import MAX_DAYS
from orders.activity import sentence
from orders.forms import PlainText
from orders.guards import Refusal, Refused
from orders.locking import Stale
from orders.models import Event, Order
from orders.rehearsal import Rehearsal, rehearse
from payments.errors import PaymentsError
from payments.money import display, parse
from resolution.models import Case, Reason
from resolution.models.choices import Ruling
from resolution.models.guards import why_not_part
from resolution.services import note_for_support

MANY_ROWS = {"rows": 5, "class": "vLargeTextField"}


class RulingForm(forms.Form):
    """What a ruling needs to know; the confirmation posts the version that its rehearsal was made from (O19)."""

    price = forms.CharField(
        label=_("Part of the price to refund"),
        max_length=60,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    days = forms.IntegerField(
        label=_("Days more"),
        min_value=1,
        max_value=MAX_DAYS,
        help_text=_("Of 24 hours each, from its delivery date, or from now where that has passed."),
    )
    reason = forms.ModelChoiceField(Reason.objects.for_rulings(), label=_("Reason"), empty_label=_("Choose a reason"))
    note = PlainText(
        label=_("Note"),
        max_length=5_000,
        widget=forms.Textarea(attrs=MANY_ROWS),
        help_text=_("Both sides read it: say what you looked at, and why you decide like this."),
    )
    as_credit = forms.BooleanField(
        required=False,
        label=_("Refund as credit"),
        help_text=_("Only when the buyer asks for it: otherwise it goes back the way it was paid."),
    )
    support_note = PlainText(
        required=False,
        label=_("Note for support"),
        max_length=5_000,
        widget=forms.Textarea(attrs={**MANY_ROWS, "rows": 2}),
        help_text=_("Optional. Only support reads it."),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)

    def __init__(self, *args: Any, act: Act, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.milestone = act.order.open_milestone
        self.currency = act.order.currency
        asked = {"price": act.name == Ruling.SPLIT, "days": act.name == Ruling.EXTEND, "as_credit": act.gives_back}
        for name in [name for name, is_asked in asked.items() if not is_asked]:
            del self.fields[name]
        if "price" in self.fields:
            label = gettext("Part of the price to refund, in {currency}")
            self.fields["price"].label = label.format(currency=self.currency)
            self.fields["price"].help_text = self._about_the_part()
        self._focus()

    def clean_price(self) -> int:
        """In minor units. What is no part of what is held is refused in the words of the service."""
        try:
            price = parse(self.cleaned_data["price"], self.currency)
        except ValueError as problem:
            raise ValidationError(str(problem)) from None
        refusal = why_not_part(self.milestone, price) if self.milestone else None
        if refusal:
            raise ValidationError(str(refusal))
        return price

    def _about_the_part(self) -> str:
        held = self.milestone.held if self.milestone else None
        if held is None:
            return ""
        left, price = display(held.left, self.currency), display(held.left_price, self.currency)
        return gettext(
            "Less than the {price} that are held of the price; {left} with the buyer’s fee. The fee on the part goes "
            "back with it. The rest is paid to the seller, less the commission."
        ).format(price=price, left=left)

    def _focus(self) -> None:
        """On the first field that is wrong, else on the first."""
        visible = [name for name in self.fields if name != "version"]
        wrong = [name for name in visible if self.is_bound and name in self.errors]
        self.fields[[*wrong, *visible][0]].widget.attrs["autofocus"] = True


def rule(request: HttpRequest, admin: "ModelAdmin[Any]", act: Act) -> HttpResponse:
    """One act of support's: GET asks for reason and note, POST rehearses, POST with `confirm` does it.

    Refused (409, a party 403) or with wrong input (422) the form is shown again with what was typed. When the order
    has changed since its rehearsal nothing is done, and the new rehearsal is shown (409).
    """
    page = RulingPage(request, admin, act)
    party = why_not_for(act.order, agent(request))
    if party:
        return page.form(None, party, status=403)
    if request.method != "POST":
        return page.form(RulingForm(act=act), act.why_not(clock.now(), agent(request)))
    if "edit" in request.POST:
        return page.form(RulingForm(initial=request.POST.dict(), act=act))
    form = RulingForm(request.POST, act=act)
    if not form.is_valid():
        return page.form(form, status=422)
    if "confirm" in request.POST and form.cleaned_data["version"]:
        return _do(page, form)
    return _rehearse(page, form)


@dataclass(frozen=True)
class RulingPage:
    request: HttpRequest
    admin: "ModelAdmin[Any]"
    act: Act

    def do(self, form: RulingForm, *, version: int | None = None) -> Case:
        typed = {name: value for name, value in form.cleaned_data.items() if name != "support_note"}
        return self.act.do(by=agent(self.request), **{**typed, "version": version})

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
        details = {"form": form, "rehearsal": rehearsal, "cents": before_and_after(rehearsal), **form.cleaned_data}
        return self._draw("confirm", details, stale, 409 if stale else 200)

    def _draw(self, name: str, details: dict[str, Any], stale: Stale | None, status: int) -> HttpResponse:
        context = {
            **self.admin.admin_site.each_context(self.request),
            "opts": self.admin.opts,
            "title": self.act.label,
            "act": self.act,
            "order": self.act.order,
            "changes": changes_since(stale) if stale else [],
            "stale": stale,
            **details,
        }
        return TemplateResponse(self.request, f"admin/resolution/{name}_ruling.html", context, status=status)


def _rehearse(page: RulingPage, form: RulingForm, stale: Stale | None = None) -> HttpResponse:
    try:
        rehearsal = rehearse(page.act.order, lambda: page.do(form))
    except Refused as refused:
        return page.form(form, refused.refusal, stale=stale, status=409)
    except PaymentsError as error:
        return page.form(form, Refusal(str(error)), stale=stale, status=409)
    return page.confirmation(form, rehearsal, stale)


def _do(page: RulingPage, form: RulingForm) -> HttpResponse:
    order = page.act.order
    try:
        case = page.do(form, version=form.cleaned_data["version"])
    except Stale as stale:
        # Drawn from what it is now: another milestone may be open than the one on the page that was left.
        now_whole = Order.objects.whole().get(pk=order.pk)
        return _rehearse(replace(page, act=replace(page.act, order=now_whole)), form, stale)
    except Refused as refused:
        return page.form(form, refused.refusal, status=409)
    except PaymentsError as error:
        return page.form(form, Refusal(str(error)), status=409)
    # Its own commit: what the clock owes the order is committed before the act, so no transaction is wrapped around.
    private = form.cleaned_data["support_note"]
    if private:
        note_for_support(order, by=agent(page.request), text=private, case=case)
    as_credit = form.cleaned_data.get("as_credit")
    logged = gettext("Case {number}: {decided}. {reason}. {note}")
    if as_credit:
        logged = gettext("Case {number}: {decided} (refunded as credit). {reason}. {note}")
    decided = case.decision or gettext("dismissed")
    said = logged.format(number=case.number, decided=decided, reason=case.ruling_reason, note=case.note)
    for subject in (order, case):
        page.admin.log_change(page.request, subject, said)
    done = capfirst(case.decision) or gettext("Dismissed: the clocks run again")
    if page.act.case is None:
        messages.success(page.request, gettext("{done}. Both sides are told.").format(done=done))
        return HttpResponseRedirect(page.act.back)
    told = gettext("Case {number}: {done}. Both sides are told.")
    messages.success(page.request, told.format(number=case.number, done=done))
    return open_next(page.request)


def changes_since(stale: Stale) -> list[str]:
    """What has happened since the rehearsal (O19)."""
    since = Event.objects.filter(order=stale.order, version__gt=stale.seen).select_related("actor", "milestone")
    return [sentence(event, stale.order, None) for event in since]
