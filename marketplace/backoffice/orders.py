"""An order in admin: one page with everything about it, support's acts without a case (R6), and opening one."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from marketplace import clock
from marketplace.backoffice.access import RULE, SEE_ORDER, WITHHOLD, agent, find, staff_page
from marketplace.backoffice.acts import WITHOUT_A_CASE, Act
from marketplace.backoffice.opening import open_case_on
from marketplace.backoffice.order_page import order_context, with_everything
from marketplace.backoffice.ruling import rule
from marketplace.backoffice.stuck import Unsticking
from marketplace.backoffice.talking import NoteForm, note, noted_by
from marketplace.backoffice.twins import operate_on, operate_on_case, operate_on_opening, sides
from orders.admin import OrderList
from orders.forms import PlainText
from orders.guards import Refusal, Refused
from orders.models import Attachment, Order
from orders.operating import refuse_party
from orders.services import withhold_file


class WithholdForm(forms.Form):
    reason = PlainText(
        label=_("Reason"),
        max_length=300,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=_("Both sides read it."),
    )


@admin.register(Order)
class OrderAdmin(Unsticking, OrderList):
    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<path:object_id>/rule/<slug:name>/",
                staff_page(self, self.rule_view, SEE_ORDER, RULE),
                name="orders_order_rule",
            ),
            path(
                "<path:object_id>/note/",
                staff_page(self, require_POST(self.note_view), SEE_ORDER, RULE),
                name="orders_order_note",
            ),
            path(
                "<path:object_id>/open-case/",
                staff_page(self, self.open_case_view, SEE_ORDER, RULE),
                name="orders_order_open_case",
            ),
            path(
                "<path:object_id>/cases/<int:case_id>/on-behalf/<slug:name>/",
                staff_page(self, self.case_on_behalf_view, SEE_ORDER, RULE),
                name="orders_order_case_on_behalf",
            ),
            path(
                "<path:object_id>/on-behalf/open/<slug:side>/<slug:kind>/",
                staff_page(self, self.open_on_behalf_view, SEE_ORDER, RULE),
                name="orders_order_open_on_behalf",
            ),
            path(
                "<path:object_id>/on-behalf/<slug:name>/",
                staff_page(self, self.on_behalf_view, SEE_ORDER, RULE),
                name="orders_order_on_behalf",
            ),
            path(
                "<path:object_id>/files/<int:file_id>/withhold/",
                staff_page(self, self.withhold_view, SEE_ORDER, WITHHOLD),
                name="orders_order_withhold",
            ),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of an order, to look at: it has buttons and no fields."""
        if not self.has_view_permission(request) or request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return self._page(request, find(with_everything(), object_id))

    def _page(
        self,
        request: HttpRequest,
        order: Order,
        noting: NoteForm | None = None,
        refusal: Refusal | None = None,
        *,
        status: int = 200,
    ) -> HttpResponse:
        shown = order_context(order, agent(request), clock.now())
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Order {number}").format(number=order.number),
            **shown,
            "sides": sides(order, agent(request), clock.now()) if request.user.has_perm(RULE) else [],
            "note_form": noting or NoteForm(initial={"seen": noted_by(agent(request), shown["notes"])}),
            "refusal": refusal,
            "note_url": reverse("admin:orders_order_note", args=[order.pk]),
        }
        return TemplateResponse(request, "admin/orders/order/page.html", context, status=status)

    def rule_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Rule without anybody's case."""
        if name not in WITHOUT_A_CASE:
            raise Http404
        return rule(request, self, Act(name, find(Order.objects.whole(), object_id)))

    def note_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Write down what only support reads."""
        order = find(with_everything(), object_id)
        form = NoteForm(request.POST)
        if not form.is_valid():
            return self._page(request, order, form, status=422)
        try:
            return note(request, self, order, None, **form.cleaned_data)
        except Refused as refused:
            return self._page(request, order, form, refused.refusal, status=403)

    def open_case_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return open_case_on(request, self, find(Order.objects.whole(), object_id))

    def on_behalf_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        return operate_on(request, self, find(Order.objects.whole(), object_id), name)

    def case_on_behalf_view(self, request: HttpRequest, object_id: str, case_id: int, name: str) -> HttpResponse:
        return operate_on_case(request, self, find(Order.objects.whole(), object_id), case_id, name)

    def open_on_behalf_view(self, request: HttpRequest, object_id: str, side: str, kind: str) -> HttpResponse:
        return operate_on_opening(request, self, find(Order.objects.whole(), object_id), side, kind)

    def withhold_view(self, request: HttpRequest, object_id: str, file_id: int) -> HttpResponse:
        """Withhold a file: its row and hash stay, the bytes go for good (O5)."""
        order = find(Order.objects.select_related("buyer", "seller"), object_id)
        file = get_object_or_404(Attachment.objects.select_related("uploaded_by"), order=order, pk=file_id)
        try:
            refuse_party(order, agent(request))
        except Refused as refused:
            return self._withhold_page(request, order, file, None, refused.refusal, status=403)
        form = WithholdForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self._withhold_page(request, order, file, form, None, status=422 if form.is_bound else 200)
        reason = form.cleaned_data["reason"]
        try:
            withhold_file(file, by=agent(request), reason=reason)
        except Refused as refused:
            return self._withhold_page(request, order, file, form, refused.refusal, status=409)
        said = gettext("Withheld the file {name}: {reason}").format(name=file.name, reason=reason)
        self.log_change(request, order, said)
        messages.success(request, gettext("{name} is withheld. Both sides are told.").format(name=file.name))
        return HttpResponseRedirect(page_of(order))

    def _withhold_page(
        self,
        request: HttpRequest,
        order: Order,
        file: Attachment,
        form: WithholdForm | None,
        refusal: Refusal | None,
        *,
        status: int,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Withhold {name}").format(name=file.name),
            "order": order,
            "file": file,
            "form": form,
            "refusal": refusal,
        }
        return TemplateResponse(request, "admin/orders/order/withhold.html", context, status=status)


def page_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])
