"""Cases in admin: support's queue, and the reasons that may be cited.

The page of one case, on which support rules, is drawn at the top, by `marketplace.backoffice`.
"""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.accounts.lean_admin import LeanAdmin
from marketplace.catalog.durations import UNITS, counted
from orders.admin import StuckFilter, badge, held_now, midnight, short
from payments.admin.base import ReadOnlyAdmin
from payments.money import display
from resolution.models import Case, Reason
from resolution.models.choices import Side
from resolution.models.constraints import DUE, RANK

Status = Case.Status
BUYER = Side.BUYER.value

# The clock opens cases citing these by code.
CITED_BY_THE_CLOCK = (Reason.SELLER_LATE, Reason.SELLER_UNRESPONSIVE, Reason.CANNOT_DELIVER, Reason.CHARGEBACK)


class ReasonForm(forms.ModelForm):  # type: ignore[type-arg]
    states = forms.MultipleChoiceField(
        choices=Reason.State.choices,
        widget=forms.CheckboxSelectMultiple,
        label=_("States to cite it in"),
        help_text=_("Buyers and sellers may cite it while the order is in one of these; support always."),
    )
    in_disputes = forms.BooleanField(
        required=False,
        label=_("In disputes"),
        initial=True,
        help_text=_("To cancel, or for a part of the money. Support decides with these."),
    )
    in_proposals = forms.BooleanField(
        required=False,
        label=_("In proposals"),
        help_text=_("For more time, extra revisions, or other upcoming milestones."),
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
class ReasonAdmin(LeanAdmin):
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

    @admin.display(description=_("Cases opened with it"), ordering="opened_with")
    def opened_with(self, reason: Any) -> int:
        count: int = reason.opened_with
        return count

    @admin.display(description=_("Decided with it"), ordering="ruled_with")
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
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, label in Status.choices if value != Status.NEW]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        return queryset.filter(status=self.value()) if self.value() else queryset


OVERDUE, TODAY, LATER = "overdue", "today", "later"


class DueFilter(admin.SimpleListFilter):
    """When what waits for support is due, by the day of whoever looks. The home of admin counts by the same (R8)."""

    title = _("due at support")
    parameter_name = "due"

    @classmethod
    def conditions(cls) -> dict[str, Q]:
        now = clock.now()
        waits, tomorrow = Q(status=Status.ESCALATED), midnight(now, days=1)
        return {
            OVERDUE: waits & Q(support_due__lte=now),
            TODAY: waits & Q(support_due__gt=now, support_due__lt=tomorrow),
            LATER: waits & Q(support_due__gt=now, support_due__gte=tomorrow),
        }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(OVERDUE, _("Overdue")), (TODAY, _("Today")), (LATER, _("Later"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        condition = self.conditions().get(self.value() or "")
        return queryset.filter(condition) if condition else queryset


class CaseQueue(ReadOnlyAdmin):
    """Support's queue (R8): what waits for them by what is due first, then what waits for an answer, then the past."""

    class Media:
        css = {"all": ["admin-backoffice.css"]}

    list_display = ["named", "about", "standing", "due_by", "age", "stake"]
    list_display_links = ["named"]
    list_filter = [StatusFilter, DueFilter, "kind", "side", "reason", StuckFilter]
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
    search_help_text = _("Case or order number, title, or a person's name or e-mail address")
    view_on_site = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        # Not Django's own, which orders before anything is annotated.
        return Case.objects.annotate(rank=RANK, due=DUE, held_now=held_now("order"))

    @admin.display(description=_("At stake"), ordering="held_now")
    def stake(self, case: Any) -> str:
        """What the order holds, and of it what the case asks to give back."""
        if not case.held_now:
            return "–"
        held = display(case.held_now, case.order.currency)
        if not case.asked_amount:
            return held
        return gettext("{asked} of {held}").format(asked=display(case.asked_amount, case.order.currency), held=held)

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return ["rank", "due", "-pk"]

    @admin.display(description=_("Case"), ordering="pk")
    def named(self, case: Case) -> SafeString:
        return format_html('<span class="bo-code">{}</span><br>{}', case.number, case.order.title)

    @admin.display(description=_("Asks to"), ordering="kind")
    def about(self, case: Case) -> str:
        return gettext("{what}: {reason}").format(what=case.what, reason=case.reason)

    @admin.display(description=_("Status"), ordering="status")
    def standing(self, case: Case) -> SafeString:
        stuck = badge(gettext("Stuck"), "stuck") if case.stuck_at else ""
        silent = who_is_silent(case, clock.now())
        below = format_html("<br>{}", silent) if silent else ""
        return format_html("{} {}{}", badge(case.standing, case.status), stuck, below)

    @admin.display(description=_("Due"), ordering="due")
    def due_by(self, case: Any) -> Any:
        if case.due is None:
            return "–"
        if case.due > clock.now():
            return short(case.due)
        return format_html(
            gettext("{badge} since {time}"),
            badge=badge(gettext("Overdue"), "stuck"),
            time=length(clock.now() - case.due),
        )

    @admin.display(description=_("Age"), ordering="opened_at")
    def age(self, case: Case) -> str:
        return length((case.ended_at or clock.now()) - case.opened_at)


def who_is_silent(case: Case, now: datetime) -> str:
    """Whose act the case lacks: those who did not answer, and support itself when it is late (R8)."""
    if case.status == Status.OPEN:
        return (
            gettext("The buyer has not answered")
            if case.answering_side == BUYER
            else gettext("The seller has not answered")
        )
    if case.status != Status.ESCALATED:
        return ""
    silent = []
    if case.kind == Case.Kind.CHARGEBACK:
        silent.append(gettext("The buyer's bank"))
    elif case.side == Case.Side.CLOCK:
        deactivated = case.reason.code == Reason.CANNOT_DELIVER
        silent.append(gettext("The seller (deactivated)") if deactivated else gettext("Both sides"))
    elif case.answering_side and not case.escalation:
        of_buyer = case.answering_side == BUYER
        silent.append(gettext("The buyer did not answer") if of_buyer else gettext("The seller did not answer"))
    if case.support_due and case.support_due <= now:
        silent.append(gettext("Customer Support"))
    return " · ".join(silent)


def length(time: timedelta) -> str:
    """Roughly: "3 days", "5 hours", "12 minutes"."""
    for unit in ("day", "hour", "minute"):
        count = time // UNITS[unit]
        if count:
            return counted(count, unit)
    return gettext("less than a minute")
