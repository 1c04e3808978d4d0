"""Cases in admin: support's workbench, from the queue to the ruling and on to the next case (R6, R8)."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from marketplace import clock
from marketplace.backoffice.access import RULE, SEE_CASE, agent, find, staff_page
from marketplace.backoffice.acts import ON_A_CASE, Act
from marketplace.backoffice.case_page import case_context
from marketplace.backoffice.order_page import with_everything
from marketplace.backoffice.queue import open_next, queue_context
from marketplace.backoffice.ruling import rule
from marketplace.backoffice.stuck import Unsticking
from marketplace.backoffice.talking import NoteForm, WriteForm, note, noted_by, write
from orders.guards import Refusal, Refused
from orders.models import Order
from resolution.actions import cases_of
from resolution.admin import CaseQueue
from resolution.locking import case_of
from resolution.models import Case


@admin.register(Case)
class CaseAdmin(Unsticking, CaseQueue):
    change_list_template = "admin/resolution/case/queue.html"

    def get_urls(self) -> list[URLPattern]:
        page = partial(staff_page, self)
        own = [
            path("next/", page(require_safe(self.next_view), SEE_CASE, RULE), name="resolution_case_next"),
            path(
                "<path:object_id>/next/",
                page(require_safe(self.next_view), SEE_CASE, RULE),
                name="resolution_case_after",
            ),
            path(
                "<path:object_id>/rule/<slug:name>/",
                page(self.rule_view, SEE_CASE, RULE),
                name="resolution_case_rule",
            ),
            path(
                "<path:object_id>/write/",
                page(require_POST(self.write_view), SEE_CASE, RULE),
                name="resolution_case_write",
            ),
            path(
                "<path:object_id>/note/",
                page(require_POST(self.note_view), SEE_CASE, RULE),
                name="resolution_case_note",
            ),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The queue, with how much of it waits for this agent."""
        rules = request.user.has_perm(RULE)
        waits = queue_context(agent(request), clock.now()) if rules else {}
        return super().changelist_view(
            request, {"title": gettext("Cases"), "may_rule": rules, **waits, **(extra_context or {})}
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a case, to look at: what changes something is a form of its own."""
        if not self.has_view_permission(request) or request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return self._page(request, _case_to_show(object_id))

    def _page(
        self,
        request: HttpRequest,
        case: Case,
        *,
        writing: WriteForm | None = None,
        noting: NoteForm | None = None,
        refusal: Refusal | None = None,
        status: int = 200,
    ) -> HttpResponse:
        shown = case_context(case, agent(request))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Case {number}").format(number=case.number),
            **shown,
            "write_form": writing or WriteForm(initial={"seen": shown["seen"]}),
            "note_form": noting or NoteForm(initial={"seen": noted_by(agent(request), shown["notes"])}),
            "note_url": reverse("admin:resolution_case_note", args=[case.pk]),
            "refusal": refusal,
        }
        return TemplateResponse(request, "admin/resolution/case/page.html", context, status=status)

    def next_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """The case that waits next; after a case the one that follows it."""
        return open_next(request, find(Case.objects.all(), object_id) if object_id else None)

    def rule_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        if name not in ON_A_CASE:
            raise Http404
        case = _case(object_id)
        return rule(request, self, Act(name, case.order, case))

    def write_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Write to both sides. Wrong input (422) or refused (409, a party 403) nothing is sent."""
        case = _case_to_show(object_id)
        form = WriteForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(request, case, writing=form, status=422)
        try:
            return write(request, self, case, **form.cleaned_data)
        except Refused as refused:
            status = 403 if case.order.side_of(agent(request)) else 409
            return self._page(request, case, writing=form, refusal=refused.refusal, status=status)

    def note_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Write down what only support reads. Wrong input 422, a party 403."""
        case = _case_to_show(object_id)
        form = NoteForm(request.POST)
        if not form.is_valid():
            return self._page(request, case, noting=form, status=422)
        try:
            return note(request, self, case.order, case, **form.cleaned_data)
        except Refused as refused:
            return self._page(request, case, noting=form, refusal=refused.refusal, status=403)


def _case(object_id: str) -> Case:
    """The case, on the rows that its guards look at."""
    row = find(Case.objects.only("order_id"), object_id)
    return case_of(Order.objects.whole().get(pk=row.order_id), row.pk, clock.now())


def _case_to_show(object_id: str) -> Case:
    """The same with everything that its page shows."""
    if not object_id.isdecimal():
        raise Http404
    order = get_object_or_404(with_everything(), cases=int(object_id))
    return next(case for case in cases_of(order, clock.now()) if case.pk == int(object_id))
