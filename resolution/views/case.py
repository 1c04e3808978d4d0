"""The page of a case, its buttons, and its conversation."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST, require_safe

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from orders.forms import VersionedForm
from orders.guards import Refusal, Refused
from orders.locking import Stale
from orders.models import Order
from resolution import services
from resolution.forms import CaseMessageForm
from resolution.locking import case_of
from resolution.models import Case
from resolution.pages import FORMS, case_context
from resolution.sides import check_side
from resolution.views.changes import changes_since

Do = Callable[[Case, dict[str, Any]], Case]
DONE = {
    "accept": _lazy("You accepted the case."),
    "decline": _lazy("You declined the case. The order goes on."),
    "withdraw": _lazy("You withdrew the case. The order goes on."),
    "escalate": _lazy("Customer Support will decide this case. The order is frozen until then."),
}
# Customer Support decides no proposal (R6).
DONE_WITH_PROPOSAL = {
    "accept": _lazy("You accepted the proposal."),
    "decline": _lazy("You declined the proposal. The order goes on."),
    "withdraw": _lazy("You withdrew the proposal. The order goes on."),
}


@login_required
@require_safe
def case(request: SignedInRequest, number: str) -> HttpResponse:
    """One page for both sides of a case: what is asked, what was said and happened, and what if nobody acts."""
    return _page(request, _case(request, number))


@login_required
@require_POST
def accept(request: SignedInRequest, number: str) -> HttpResponse:
    def do(case: Case, data: dict[str, Any]) -> Case:
        return services.accept_case(case, by=request.user, **data)

    return _act(request, number, "accept", do)


@login_required
@require_POST
def decline(request: SignedInRequest, number: str) -> HttpResponse:
    def do(case: Case, data: dict[str, Any]) -> Case:
        return services.decline_case(case, by=request.user, **data)

    return _act(request, number, "decline", do)


@login_required
@require_POST
def withdraw(request: SignedInRequest, number: str) -> HttpResponse:
    def do(case: Case, data: dict[str, Any]) -> Case:
        return services.withdraw_case(case, by=request.user, **data)

    return _act(request, number, "withdraw", do)


@login_required
@require_POST
def escalate(request: SignedInRequest, number: str) -> HttpResponse:
    def do(case: Case, data: dict[str, Any]) -> Case:
        return services.escalate_case(case, by=request.user, **data)

    return _act(request, number, "escalate", do)


@login_required
@require_POST
def write(request: SignedInRequest, number: str) -> HttpResponse:
    """Write in the conversation of a case, with evidence; when it is over, why not (409) with what was typed."""
    case = _case(request, number)
    form = CaseMessageForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, case, message_form=form, status=422)
    try:
        services.write_in_case(case, by=request.user, **form.cleaned_data)
    except Refused as refused:
        return _page(request, _case(request, number), message_form=form, refusal=refused.refusal, status=409)
    messages.success(request, _("Your message is sent."))
    return redirect(f"{case.get_absolute_url()}#said")


def _act(request: SignedInRequest, number: str, name: str, do: Do) -> HttpResponse:
    """One button of a case. Refused (409) or with wrong input (422) the page is shown again, with what was typed."""
    case = _case(request, number)
    try:
        check_side(case, case.order.side_of(request.user), name)
    except Refused as refused:
        return _page(request, case, refusal=refused.refusal, status=403)
    form = FORMS[name](request.POST, request.FILES, auto_id=f"id_{name}_%s")
    if not form.is_valid():
        return _page(request, case, name, form, status=422)
    try:
        do(case, form.cleaned_data)
    except Stale as stale:
        return _page(request, _case(request, number), name, form, stale=stale, status=409)
    except Refused as refused:
        return _page(request, _case(request, number), name, form, refusal=refused.refusal, status=409)
    messages.success(request, str(DONE[name] if case.is_dispute else DONE_WITH_PROPOSAL[name]))
    return redirect(case)


def _case(request: SignedInRequest, number: str) -> Case:
    """The viewer's case, on the rows that the guards look at."""
    row = get_object_or_404(Case.objects.of(request.user), number=number)
    return case_of(Order.objects.whole().get(pk=row.order_id), row.pk, clock.now())


def _page(
    request: SignedInRequest,
    case: Case,
    tried: str = "",
    form: forms.Form | None = None,
    *,
    message_form: CaseMessageForm | None = None,
    refusal: Refusal | None = None,
    stale: Stale | None = None,
    status: int = 200,
) -> HttpResponse:
    if isinstance(form, VersionedForm):
        # What was typed is kept; the version becomes the one that is shown now.
        data = form.data.copy()  # type: ignore[attr-defined]
        data["version"] = str(case.order.version)
        form.data = data
    context = case_context(case, request.user, tried=tried, form=form, message_form=message_form)
    context |= {"refusal": refusal, "stale": stale, "changes": changes_since(stale, case.order, request.user)}
    return render(request, "resolution/case.html", context, status=status)
