"""What the admin pages of money have in common: everything can be looked at, nothing can be edited by anyone."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_stubs_ext import StrPromise

from marketplace.accounts.lean_admin import LeanAdmin
from payments.money import CURRENCIES, display


class ReadOnlyAdmin(LeanAdmin):
    fields: ClassVar[Any] = None  # may hold columns made by `shown`, which the stubs don't expect

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class YesNoFilter(admin.SimpleListFilter):
    """A filter by one condition: those that meet it, or all the others. The home of admin counts by the same one."""

    @classmethod
    def condition(cls) -> Q:
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        met = {"yes": self.condition(), "no": ~self.condition()}.get(self.value() or "")
        return queryset.filter(met) if met else queryset


class CurrencyFilter(admin.SimpleListFilter):
    """By the currencies we deal in: Django's own would look through the whole table for those that occur."""

    title = _("currency")
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code) for code in CURRENCIES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(currency=self.value()) if self.value() else queryset


class RecentValuesFilter(admin.SimpleListFilter):
    """By the values that occur in the latest rows: Django's own would look through the whole table for them."""

    LATEST = 1_000

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        name = str(self.parameter_name)
        latest = model_admin.model.objects.order_by("-pk").values_list(name, flat=True)[: self.LATEST]
        return [(value, value) for value in sorted({*latest, self.used_parameters.get(name) or ""}) if value]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


AMOUNTS: dict[str, StrPromise] = {
    "amount": _("Amount"),
    "available": _("Available"),
    "balance": _("Balance"),
    "buyer_fee": _("Buyer fee"),
    "charged_back": _("Charged back"),
    "credit": _("Credit"),
    "debt": _("Debt"),
    "frozen": _("Frozen"),
    "greatest": _("Greatest"),
    "least": _("Least"),
    "left": pgettext_lazy("amount", "Left"),
    "price": _("Price"),
    "refunded": _("Refunded"),
    "released": _("Released"),
    "rest": _("Rest"),
}


def shown(name: str, *, ordering: bool = True) -> Callable[[Any], str]:
    """A column with the amount `name`, which is in minor units, in its row's currency."""

    @admin.display(description=AMOUNTS[name], ordering=name if ordering else None)
    def amount(row: Any) -> str:
        return display(getattr(row, name), row.currency)

    return amount
