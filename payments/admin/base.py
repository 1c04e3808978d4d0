"""What the admin pages of money have in common: everything can be looked at, nothing can be edited by anyone."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from payments.money import display


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    fields: ClassVar[Any] = None  # may hold columns made by `shown`, which the stubs don't expect

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def shown(name: str, *, ordering: bool = True) -> Callable[[Any], str]:
    """A column with the amount `name`, which is in minor units, in its row's currency."""

    @admin.display(description=name.replace("_", " ").capitalize(), ordering=name if ordering else None)
    def amount(row: Any) -> str:
        return display(getattr(row, name), row.currency)

    return amount
