"""Cases in admin: support's queue, and the reasons that may be cited.

The page of one case, on which support rules, is drawn at the top, by `marketplace.backoffice`.
"""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import F, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from marketplace import clock
from orders.admin import StuckFilter, YesNoFilter, badge, held_now, short
from payments.admin.base import ReadOnlyAdmin
from payments.money import display
from resolution.models import Case, Reason

Status = Case.Status

# The clock opens cases citing these by code.
CITED_BY_THE_CLOCK = (Reason.SELLER_LATE, Reason.SELLER_UNRESPONSIVE, Reason.CANNOT_DELIVER, Reason.CHARGEBACK)


class ReasonForm(forms.ModelForm):  # type: ignore[type-arg]
    states = forms.MultipleChoiceField(
        choices=Reason.State.choices,
        widget=forms.CheckboxSelectMultiple,
        label="States to cite it in",
        help_text="Buyers and sellers may cite it while the order is in one of these; support always.",
    )
    in_disputes = forms.BooleanField(
        required=False,
        label="In disputes",
        initial=True,
        help_text="To cancel, or for a part of the money. Support decides with these.",
    )
    in_proposals = forms.BooleanField(
        required=False,
        label="In proposals",
        help_text="For more time, extra revisions, or other upcoming milestones.",
    )

    class Meta:
        model = Reason
        fields = [
            "code",
            "text",
            "cited_by_buyer",
            "cited_by_seller",
            "in_disputes",
            "in_proposals",
            "states",
            "position",
            "is_active",
        ]


@admin.register(Reason)
class ReasonAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The valid reasons (R5). One that was cited is never deleted: switch it off instead."""

    form = ReasonForm
    list_display = [
        "text",
        "cited_by_buyer",
        "cited_by_seller",
        "in_disputes",
        "in_proposals",
        "opened_with",
        "ruled_with",
        "is_active",
    ]
    list_filter = ["is_active", "cited_by_buyer", "cited_by_seller", "in_disputes", "in_proposals"]
    search_fields = ["code", "text"]
    ordering = ["position", "id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reason]:
        return Reason.objects.with_citations().order_by("position", "id")

    @admin.display(description="Cases opened with it", ordering="opened_with")
    def opened_with(self, reason: Any) -> int:
        count: int = reason.opened_with
        return count

    @admin.display(description="Decided with it", ordering="ruled_with")
    def ruled_with(self, reason: Any) -> int:
        count: int = reason.ruled_with
        return count

    def get_readonly_fields(self, request: HttpRequest, obj: Reason | None = None) -> list[str]:
        """The code is what the program and earlier cases know a reason by."""
        return ["code", "opened_with", "ruled_with"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Reason | None = None) -> list[Any]:
        counts = ["opened_with", "ruled_with"] if obj else []
        return [*ReasonForm.Meta.fields, *counts]

    def has_delete_permission(self, request: HttpRequest, obj: Reason | None = None) -> bool:
        if obj is None or not super().has_delete_permission(request, obj):
            return False
        cited = obj.code in CITED_BY_THE_CLOCK or obj.cases.exists() or obj.cases_ruled.exists()
        return not cited


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, label in Status.choices if value != Status.NEW]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        return queryset.filter(status=self.value()) if self.value() else queryset


class LateFilter(YesNoFilter):
    title = "overdue at support"
    parameter_name = "overdue"

    def condition(self) -> Q:
        return Q(status=Status.ESCALATED, support_due__lte=clock.now())


class CaseQueue(ReadOnlyAdmin):
    """Support's queue (R8): what waits for them by what is due first, then what waits for an answer, then the past."""

    class Media:
        css = {"all": ["admin-backoffice.css"]}

    list_display = ["named", "about", "standing", "due_by", "age", "stake"]
    list_display_links = ["named"]
    list_filter = [StatusFilter, LateFilter, "kind", "side", "reason", StuckFilter]
    list_select_related = ["order__buyer", "order__seller", "milestone", "reason"]
    list_per_page = 50
    search_fields = [
        "number",
        "order__number",
        "order__title",
        "order__buyer__email",
        "order__buyer__name",
        "order__seller__email",
        "order__seller__name",
    ]
    search_help_text = "Case or order number, title, or a person's name or e-mail address"
    show_full_result_count = False
    view_on_site = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        waiting = [When(status=Status.ESCALATED, then=Value(0)), When(status=Status.OPEN, then=Value(1))]
        due = [
            When(status=Status.ESCALATED, then=F("support_due")),
            When(status=Status.OPEN, then=F("answer_by")),
        ]
        # Not Django's own, which orders before anything is annotated.
        return Case.objects.annotate(
            rank=models.Case(*waiting, default=Value(2)),
            due=models.Case(*due, default=None, output_field=models.DateTimeField()),
            held_now=held_now("order"),
        )

    @admin.display(description="At stake", ordering="held_now")
    def stake(self, case: Any) -> str:
        """What the order holds, and of it what the case asks to give back."""
        if not case.held_now:
            return "–"
        held = display(case.held_now, case.order.currency)
        return f"{display(case.asked_amount, case.order.currency)} of {held}" if case.asked_amount else held

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return ["rank", "due", "-pk"]

    @admin.display(description="Case", ordering="pk")
    def named(self, case: Case) -> SafeString:
        return format_html('<span class="bo-code">{}</span><br>{}', case.number, case.order.title)

    @admin.display(description="Asks to", ordering="kind")
    def about(self, case: Case) -> str:
        return f"{case.what}: {case.reason}"

    @admin.display(description="Status", ordering="status")
    def standing(self, case: Case) -> SafeString:
        stuck = badge("Stuck", "stuck") if case.stuck_at else ""
        silent = who_is_silent(case, clock.now())
        below = format_html("<br>{}", silent) if silent else ""
        return format_html("{} {}{}", badge(case.standing, case.status), stuck, below)

    @admin.display(description="Due", ordering="due")
    def due_by(self, case: Any) -> Any:
        if case.due is None:
            return "–"
        if case.due > clock.now():
            return short(case.due)
        return format_html("{} since {}", badge("Overdue", "stuck"), length(clock.now() - case.due))

    @admin.display(description="Age", ordering="opened_at")
    def age(self, case: Case) -> str:
        return length((case.ended_at or clock.now()) - case.opened_at)


def who_is_silent(case: Case, now: datetime) -> str:
    """Whose act the case lacks: those who did not answer, and support itself when it is late (R8)."""
    if case.status == Status.OPEN:
        return f"The {case.answering_side} has not answered"
    if case.status != Status.ESCALATED:
        return ""
    silent = []
    if case.kind == Case.Kind.CHARGEBACK:
        silent.append("The buyer's bank")
    elif case.side == Case.Side.CLOCK:
        deactivated = case.reason.code == Reason.CANNOT_DELIVER
        silent.append("The seller (deactivated)" if deactivated else "Both sides")
    elif case.answering_side and not case.escalation:
        silent.append(f"The {case.answering_side} did not answer")
    if case.support_due and case.support_due <= now:
        silent.append("Customer Support")
    return " · ".join(silent)


def length(time: timedelta) -> str:
    """Roughly: "3 days", "5 hours", "12 minutes"."""
    for unit, size in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        count = time // size
        if count:
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return "less than a minute"
