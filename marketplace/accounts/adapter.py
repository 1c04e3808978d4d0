"""How allauth saves a new person."""

from allauth.account.adapter import DefaultAccountAdapter
from django.forms import BaseForm
from django.http import HttpRequest

from marketplace.accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        super().save_user(request, user, form, commit=False)
        user.name = form.cleaned_data["name"]
        user.time_zone = form.cleaned_data["time_zone"]
        if commit:
            User.objects.join(user)
        return user
