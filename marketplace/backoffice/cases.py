"""A case in admin: what was said, what is at stake, and support's rulings (R6, R8)."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from marketplace import clock
from marketplace.backoffice.access import RULE, SEE_CASE, WITHHOLD, find, staff_page
from marketplace.backoffice.order_page import (
    CENTS,
    Button,
    about_to_settle,
    activity,
    cents_per_milestone,
    standing,
)
from marketplace.backoffice.ruling import Ruling, rule
from marketplace.backoffice.stuck import Unsticking
from orders.guards import Refusal, why_not
from orders.models import Order
from resolution import services
from resolution.admin import CaseQueue, who_is_silent
from resolution.locking import case_of
from resolution.models import Case
from resolution.services import Decision
from resolution.words import at_stake, deadline_of, if_nobody_acts


@admin.register(Case)
class CaseAdmin(Unsticking, CaseQueue):
    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<path:object_id>/{name.replace('_', '-')}/",
                staff_page(self, partial(self.ruling_view, name), SEE_CASE, RULE),
                name=f"resolution_case_{name}",
            )
            for name in RULINGS
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a case, to look at: it has buttons and no fields."""
        if not self.has_view_permission(request) or request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        case = _case(object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Case {case.number}",
            **case_context(case),
            "buttons": buttons(case) if request.user.has_perm(RULE) else [],
            "may_withhold": request.user.has_perm(WITHHOLD),
        }
        return TemplateResponse(request, "admin/resolution/case/page.html", context)

    def ruling_view(self, name: str, request: HttpRequest, object_id: str) -> HttpResponse:
        return rule(request, self, ruling_on(_case(object_id), name))


RULINGS = ("cancel_milestone", "cancel_order", "dismiss")


def _act(case: Case, name: str, *, as_credit: bool = False, **ruling: Any) -> Case:
    if name == "dismiss":
        return services.dismiss_case(case, **ruling)
    return services.rule(case, Decision(Case.Ruling(name), as_credit=as_credit), **ruling)


def ruling_on(case: Case, name: str) -> Ruling:
    milestone = case.order.open_milestone
    label, done = {
        "cancel_milestone": (f"Cancel “{milestone}”", f"“{milestone}” is canceled.")
        if milestone
        else ("Cancel the milestone", "The milestone is canceled."),
        "cancel_order": ("Cancel the order", "The order is canceled."),
        "dismiss": ("Dismiss the case", "The case is dismissed and the clocks run again."),
    }[name]
    return Ruling(
        label=label,
        done=done,
        order=case.order,
        act=partial(_act, case, name),
        back=reverse("admin:resolution_case_change", args=[case.pk]),
        case=case,
        refusal=_why_not(case, name),
        danger=name != "dismiss",
        refunds=name != "dismiss",
    )


def buttons(case: Case) -> list[Button]:
    if not case.is_pending:
        return []
    rulings = {name: ruling_on(case, name) for name in RULINGS}
    return [
        Button(
            ruling.label, reverse(f"admin:resolution_case_{name}", args=[case.pk]), ruling.refusal, danger=ruling.danger
        )
        for name, ruling in rulings.items()
    ]


def case_context(case: Case) -> dict[str, Any]:
    """What the page of a case shows, from a constant number of queries."""
    order = case.order
    now = case.moment
    due = deadline_of(case)
    clocks = Q(kind__in=["frozen", "resumed"], reason=case.number)
    return {
        "case": case,
        "order": order,
        "standing": standing(order, now),
        "silent": who_is_silent(case, now),
        "due": due,
        "overdue": case.is_pending and due is not None and due <= now,
        "if_nobody_acts": if_nobody_acts(case),
        "at_stake": at_stake(case),
        "files": list(case.files.select_related("order", "uploaded_by", "withheld_by")),
        "columns": list(CENTS.values()),
        "cents": cents_per_milestone(order),
        "activity": activity(order, order.events.filter(Q(data__case=case.number) | clocks)),
        "others": list(order.cases.exclude(pk=case.pk).select_related("reason", "milestone")),
    }


def _case(object_id: str) -> Case:
    """The case, on the rows that its guards look at."""
    row = find(Case.objects.only("order_id"), object_id)
    return case_of(Order.objects.whole().get(pk=row.order_id), row.pk, clock.now())


def _why_not(case: Case, name: str) -> Refusal | None:
    """Why support cannot rule so now; None when they can."""
    order = case.order
    refusal = about_to_settle(order, case.moment) or why_not(case.dismiss if name == "dismiss" else case.rule)
    if refusal or name == "dismiss":
        return refusal
    if name == "cancel_order":
        return why_not(order.cancel)
    return None if order.open_milestone else Refusal("No milestone is open, so there is none to cancel.")
