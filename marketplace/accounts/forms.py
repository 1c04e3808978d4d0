"""Forms of accounts: what sign-up adds to allauth's own fields, and the profile."""

import zoneinfo

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from marketplace.accounts.models import User, languages


def time_zones() -> list[tuple[str, str]]:
    """Every zone with a place in its name, and UTC."""
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


def chosen_or_asked() -> list[tuple[str, StrOrPromise]]:
    return [("", _("As the browser asks")), *languages()]


class GuessedZone(forms.Select):
    """A list of time zones in which the browser's own is chosen, where JavaScript runs."""

    template_name = "accounts/guessed_zone.html"

    def __init__(self) -> None:
        super().__init__(attrs={"data-guess-zone": True})


class SignupForm(forms.Form):
    """Extends allauth's sign-up. The adapter saves the name; the time zone is a guess that the profile can change."""

    field_order = ["name", "email", "password1", "password2", "time_zone"]

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("Shown to everybody. Your e-mail address is not."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones, initial="UTC", required=False, widget=GuessedZone
    )

    def clean_time_zone(self) -> str:
        return self.cleaned_data["time_zone"] or "UTC"

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth after the adapter saved the person; nothing is left to do."""


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=chosen_or_asked,
        required=False,
        help_text=_("Of pages, and of the notices and mails that reach you."),
    )

    class Meta:
        model = User
        fields = ["name", "about", "time_zone", "language"]
        labels = {"name": _("Name"), "about": _("About")}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "about": forms.Textarea(attrs={"rows": 6}),
        }
