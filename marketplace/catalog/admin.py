from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from marketplace.accounts.lean_admin import LeanAdmin
from marketplace.accounts.models import User
from marketplace.catalog import durations, plans, services
from marketplace.catalog.models import Category, Gig, PlanMilestone, Terms
from marketplace.catalog.rules import percent, plain_percent
from payments import money

WINDOWS = {
    "review": _("To accept or ask for a revision, from each delivery"),
    "continuing": _("To continue, from the acceptance"),
    "payment": _("To pay for a started milestone"),
    "processing": _("To wait for a bank that is processing"),
    "offer": _("To accept a custom offer"),
    "revision": _("To deliver a revision"),
    "very_late": _("After the delivery date, until it is very late"),
    "abandoned": _("After the delivery date without an act, until support is called"),
    "answer": _("To answer a case"),
    "escalation": _("To take a declined case to support"),
    "least_rest": _("Least rest of a window after a freeze"),
    "support": _("For support to rule"),
    "reviews": _("To review each other"),
    "clearing": _("Until earnings are available"),
}
MAY_BE_ZERO = {"very_late", "escalation", "least_rest", "clearing"}
RATES = {"buyer_fee": _("Buyer’s fee"), "commission": _("Commission")}
NUMBER_FIELDS = [*WINDOWS, *RATES, "max_milestones"]


class WindowField(forms.CharField):
    """A length of time in words: "8 days", "90 seconds"."""

    def prepare_value(self, value: Any) -> Any:
        return durations.in_words(value) if isinstance(value, timedelta) else value

    def clean(self, value: Any) -> timedelta | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return durations.parse(text)
        except ValueError as problem:
            raise ValidationError(str(problem), code="window") from problem


class RateField(forms.DecimalField):
    """A rate in percent, kept in basis points."""

    def prepare_value(self, value: Any) -> Any:
        return plain_percent(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int:
        return int(super().clean(value) * 100)


class PriceLimitsField(forms.CharField):
    """One line per currency: its code, the least and the greatest price of a milestone."""

    widget = forms.Textarea(attrs={"rows": 17, "cols": 40})

    def prepare_value(self, value: Any) -> Any:
        return limits_in_words(value) if isinstance(value, dict) else value

    def clean(self, value: Any) -> dict[str, list[int]]:
        lines = [line.split() for line in super().clean(value).splitlines() if line.strip()]
        try:
            limits = {line[0].upper(): _limits(line[0].upper(), line[1:]) for line in lines}
        except ValueError as problem:
            raise ValidationError(str(problem), code="limits") from problem
        if len(limits) < len(lines):
            raise ValidationError(gettext("A currency is written twice."), code="limits")
        return limits


def _limits(currency: str, amounts: list[str]) -> list[int]:
    limits = [money.parse(amount, currency) for amount in amounts]
    plans.check_limits(currency, limits)
    return limits


def limits_in_words(limits: dict[str, list[int]]) -> str:
    return "\n".join(
        f"{currency} {money.plain(least, currency)} {money.plain(greatest, currency)}"
        for currency, (least, greatest) in sorted(limits.items())
    )


class TermsForm(forms.ModelForm):  # type: ignore[type-arg]
    buyer_fee = RateField(min_value=0, max_digits=4, decimal_places=2, label=_("Buyer’s fee, in percent"))
    commission = RateField(min_value=0, max_digits=4, decimal_places=2, label=_("Commission, in percent"))
    price_limits = PriceLimitsField(help_text=_("One line per currency: USD 3.00 50000.00"))

    class Meta:
        model = Terms
        fields = ["note", *NUMBER_FIELDS, "price_limits"]
        field_classes = dict.fromkeys(WINDOWS, WindowField)
        labels = WINDOWS
        help_texts = {
            "continuing": _("Empty: one deadline for both, from the delivery."),
            "note": _("What is new and why."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in WINDOWS:
            if cleaned.get(name) == timedelta(0) and name not in MAY_BE_ZERO:
                self.add_error(name, gettext("Longer than zero, please."))
        return cleaned


@admin.register(Terms)
class TermsAdmin(LeanAdmin):
    """Publish new terms; published ones can only be read (G4)."""

    form = TermsForm
    list_display = ["__str__", "published_at", "published_by", "note", "in_force"]
    list_select_related = ["published_by"]

    @admin.display(boolean=True, description=_("In force"))
    def in_force(self, terms: Terms) -> bool:
        return terms == Terms.objects.in_force()

    def get_fields(self, request: HttpRequest, obj: Terms | None = None) -> list[Any]:
        return ["in_words", "published_at", "published_by", "note"] if obj else ["note", *NUMBER_FIELDS, "price_limits"]

    def get_readonly_fields(self, request: HttpRequest, obj: Terms | None = None) -> list[Any]:
        return ["in_words", "published_at", "published_by", "note"] if obj else []

    @admin.display(description=_("Terms"))
    def in_words(self, terms: Terms) -> str:
        windows = [f"{label}: {_window(getattr(terms, name))}" for name, label in WINDOWS.items()]
        rates = [f"{label}: {percent(getattr(terms, name))}" for name, label in RATES.items()]
        most = gettext("Milestones in a plan: at most {most}").format(most=terms.max_milestones)
        prices = gettext("Prices of a milestone:")
        return "\n".join([*windows, *rates, most, prices, limits_in_words(terms.price_limits)])

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        terms = Terms.objects.in_force()
        return {name: getattr(terms, name) for name in [*NUMBER_FIELDS, "price_limits"]}

    def save_model(self, request: HttpRequest, obj: Terms, form: TermsForm, change: bool) -> None:
        """Publishing goes through the service; the row that it made is the one that admin speaks of afterwards."""
        assert isinstance(request.user, User)
        made = services.publish_terms(by=request.user, **form.cleaned_data)
        obj.__dict__.update(made.__dict__)

    def has_change_permission(self, request: HttpRequest, obj: Terms | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Terms | None = None) -> bool:
        return False


def _window(length: timedelta | None) -> str:
    return gettext("the same window") if length is None else durations.in_words(length)


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "slug", "position"]
    prepopulated_fields = {"slug": ["name"]}


class PlanInline(admin.TabularInline):  # type: ignore[type-arg]
    model = PlanMilestone
    fields = readonly_fields = ("position", "title", "description", "amount", "delivery_days", "revisions")
    can_delete = False
    extra = 0

    @admin.display(description=_("Price"))
    def amount(self, milestone: PlanMilestone) -> str:
        return money.display(milestone.price, milestone.gig.currency)

    def has_add_permission(self, request: HttpRequest, obj: Gig | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Gig | None = None) -> bool:
        return False


@admin.register(Gig)
class GigAdmin(LeanAdmin):
    """Gigs can be read, paused and archived here; the seller edits them, and nobody deletes one (G1)."""

    list_display = ["title", "seller", "category", "status", "amount", "version", "created_at"]
    list_filter = ["status", "category", "currency", "created_at"]
    list_select_related = ["seller", "category"]
    search_fields = ["title", "slug", "seller__name", "seller__email"]
    ordering = ["-pk"]
    inlines = [PlanInline]
    actions = ["pause", "archive"]
    fields = readonly_fields = (
        "title",
        "slug",
        "seller",
        "category",
        "description",
        "status",
        "amount",
        "delivery_days",
        "version",
        "created_at",
        "published_at",
    )

    @admin.display(description=_("Price"), ordering="price")
    def amount(self, gig: Gig) -> str:
        return money.display(gig.price, gig.currency)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Gig | None = None) -> bool:
        return False

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Gig]) -> None:
        self._each(request, queryset, services.pause, _("Paused."), _("Paused: {gig}"))

    @admin.action(description=_("Archive for good"), permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Gig]) -> None:
        self._each(request, queryset, services.archive, _("Archived."), _("Archived: {gig}"))

    def _each(
        self, request: HttpRequest, gigs: QuerySet[Gig], verb: Callable[..., Gig], done: StrPromise, told: StrPromise
    ) -> None:
        assert isinstance(request.user, User)
        for gig in gigs:
            try:
                verb(gig, by=request.user)
            except services.CatalogError as refusal:
                message = gettext("{gig}: {problem}").format(gig=gig, problem=refusal)
                self.message_user(request, message, messages.ERROR)
                continue
            self.log_change(request, gig, str(done))
            self.message_user(request, str(told).format(gig=gig), messages.SUCCESS)
