from collections.abc import Callable
from typing import Any

from allauth.mfa.admin import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from marketplace.accounts import second_factor, services
from marketplace.accounts.lean_admin import LeanAdmin
from marketplace.accounts.models import User

# Registered by the module that was imported from. Second factors are set up by their owners and removed below.
admin.site.unregister(Authenticator)

POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes = {"email": forms.EmailField}

    def clean_email(self) -> str:
        """One account per address, in whatever case it is written."""
        email = User.objects.normalize_email(self.cleaned_data["email"])
        if User.objects.filter(email=email).exists():
            raise forms.ValidationError(_("Somebody has this address already."), code="unique")
        return email


@admin.register(User)
class UserAdmin(LeanAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    """People. Staff deactivate through the service; only superusers hand out powers or touch other staff."""

    add_form = NewUserForm
    list_display = ["name", "email", "handle", "is_active", "is_staff", "second_factor", "joined_at"]
    list_filter = ["is_active", "is_staff", "groups"]
    search_fields = ["name", "email", "handle"]
    # In the order in which they joined, by the key: nothing else is an index of all.
    ordering = ["-pk"]
    fieldsets = [
        (None, {"fields": ["email", "name", "handle", "about", "time_zone", "language", "password"]}),
        (_("Powers"), {"fields": ["is_active", *POWERS]}),
        (_("Dates"), {"fields": ["joined_at", "last_login"]}),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["email", "name", "usable_password", "password1", "password2"]})
    ]
    actions = ["deactivate", "reactivate", "remove_second_factor"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        factors = Authenticator.objects.filter(user=OuterRef("pk"), type=second_factor.APP)
        people: QuerySet[User] = super().get_queryset(request).annotate(has_second_factor=Exists(factors))
        return people

    @admin.display(description=_("second factor"), boolean=True)
    def second_factor(self, person: User) -> bool:
        return bool(person.has_second_factor)  # type: ignore[attr-defined]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        always = ["email", "handle", "is_active", "joined_at", "last_login"] if obj else []
        return always if request.user.is_superuser else [*always, *POWERS]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or request.user.is_superuser or not (obj.is_staff or obj.is_superuser))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody is deleted: orders and the ledger speak of them. Deactivate instead."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[Any]", change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        User.objects.join(obj)
        services.confirm_email(obj)

    @admin.action(description=_("Deactivate"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(
            request, queryset, services.deactivate, _("The account was deactivated."), _("{name} was deactivated.")
        )

    @admin.action(description=_("Reactivate"), permissions=["change"])
    def reactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(
            request, queryset, services.reactivate, _("The account was reactivated."), _("{name} was reactivated.")
        )

    @admin.action(description=_("Remove the second factor"), permissions=["remove_second_factor"])
    def remove_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(
            request,
            queryset,
            services.remove_second_factor,
            _("The account was left without a second factor."),
            _("{name} was left without a second factor."),
        )

    def has_remove_second_factor_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def _each(
        self,
        request: HttpRequest,
        people: QuerySet[User],
        verb: Callable[..., bool],
        noted: StrOrPromise,
        done: StrOrPromise,
    ) -> None:
        assert isinstance(request.user, User)
        for person in people:
            try:
                changed = verb(person, by=request.user)
            except services.AccountError as refusal:
                self.message_user(request, f"{person}: {refusal}", messages.ERROR)
                continue
            if changed:
                self.log_change(request, person, str(noted))
                self.message_user(request, done.format(name=person), messages.SUCCESS)
