"""How support opens a case to look into: the order is frozen until they rule on it (R3, R4)."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.backoffice.access import agent, why_not_for
from marketplace.backoffice.acts import why_not_open
from marketplace.backoffice.operating import look_again
from marketplace.backoffice.ruling import changes_since
from orders.forms import PlainText, VersionedForm
from orders.guards import Refusal, Refused
from orders.locking import Stale
from orders.models import Order
from resolution.models import Case, Reason
from resolution.services import open_case_by_support

TYPED = ("kind", "reason", "statement")


class OpeningForm(VersionedForm):
    """What the case is about, a valid reason and a statement; drawn from a version of the order (O19)."""

    kind = forms.ChoiceField(label=pgettext_lazy("of a case", "About"), widget=forms.Select(attrs={"autofocus": True}))
    # Support may cite all (R5).
    reason = forms.ModelChoiceField(Reason.objects.for_rulings(), label=_("Reason"), empty_label=_("Choose a reason"))
    statement = PlainText(
        label=_("Statement"),
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField"}),
        help_text=_("Both sides read it: say what you look into, and what you need to know from them."),
    )

    def __init__(self, *args: Any, order: Order, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        milestone = order.open_milestone
        named = gettext("Cancel “{title}”")
        about = named.format(title=milestone.title) if milestone else Case.Kind.CANCEL_MILESTONE.label
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)
        kind.choices = [
            ("", gettext("Choose what it is about")),
            (Case.Kind.CANCEL_MILESTONE.value, about),
            (Case.Kind.CANCEL_ORDER.value, Case.Kind.CANCEL_ORDER.label),
        ]
        kind.help_text = gettext("What you may decide in the end. You are not bound to it.")
        refusal = why_not_open(order, Case.Kind.CANCEL_MILESTONE, now)
        if refusal and not why_not_open(order, Case.Kind.CANCEL_ORDER, now):
            kind.help_text = gettext("{what} is not possible now: {why}").format(what=about, why=refusal)


def open_case_on(request: HttpRequest, admin: "ModelAdmin[Any]", order: Order) -> HttpResponse:
    """GET asks for kind, reason and statement; POST opens the case and goes to its page.

    Refused (409, a party 403), with wrong input (422) or from another version of the order (409, with what changed)
    nothing is done, and the form is shown again with what was typed.
    """
    party = why_not_for(order, agent(request))
    if party:
        return _page(request, admin, order, None, party, status=403)
    now = clock.now()
    if request.method != "POST":
        form = OpeningForm(initial={"version": order.version}, order=order, now=now)
        return _page(request, admin, order, form, why_not_open(order, Case.Kind.CANCEL_ORDER, now))
    form = OpeningForm(request.POST, order=order, now=now)
    if not form.is_valid():
        if "version" in form.errors:
            return _again(request, admin, order, look_again())
        return _page(request, admin, order, form, status=422)
    try:
        case = open_case_by_support(order, by=agent(request), **form.cleaned_data)
    except Stale as stale:
        return _again(request, admin, order, None, stale)
    except Refused as refused:
        return _again(request, admin, order, refused.refusal)
    for subject in (order, case):
        admin.log_change(
            request,
            subject,
            gettext("Opened case {number}: {reason}. {statement}").format(
                number=case.number, reason=case.reason, statement=case.statement
            ),
        )
    said = gettext("The case is open and the order is frozen until you decide. Both sides are told.")
    messages.success(request, said)
    return HttpResponseRedirect(reverse("admin:resolution_case_change", args=[case.pk]))


def _again(
    request: HttpRequest, admin: "ModelAdmin[Any]", order: Order, refusal: Refusal | None, stale: Stale | None = None
) -> HttpResponse:
    """The form drawn anew from the order as it is now, with what was typed."""
    order, now = Order.objects.whole().get(pk=order.pk), clock.now()
    typed = {name: request.POST.get(name, "") for name in TYPED}
    form = OpeningForm(initial={**typed, "version": order.version}, order=order, now=now)
    return _page(
        request, admin, order, form, refusal or why_not_open(order, Case.Kind.CANCEL_ORDER, now), stale, status=409
    )


def _page(
    request: HttpRequest,
    admin: "ModelAdmin[Any]",
    order: Order,
    form: OpeningForm | None,
    refusal: Refusal | None = None,
    stale: Stale | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": gettext("Open a case"),
        "order": order,
        "form": form,
        "refusal": refusal,
        "stale": stale,
        "changes": changes_since(stale) if stale else [],
    }
    return TemplateResponse(request, "admin/resolution/form_opening.html", context, status=status)
