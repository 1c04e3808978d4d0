"""How allauth saves a new person, and what it does when a mail cannot be sent."""

import logging
import smtplib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as current
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AnonymousUser
from django.forms import BaseForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from marketplace.accounts import second_factor
from marketplace.accounts.models import User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        super().save_user(request, user, form, commit=False)
        user.name = form.cleaned_data["name"]
        user.time_zone = form.cleaned_data["time_zone"]
        user.language = translation.get_language() or ""
        if commit:
            User.objects.join(user)
        return user

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        logger.info("User %s signed in", user.pk)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """At the sign-in or at a proof. Nobody is named: what was typed may be anything, also a password."""
        logger.info("A password was wrong, for user %s", request.user.pk or "unknown")

    def send_account_already_exists_mail(self, email: str) -> None:
        """Hashes a password, as a sign-up with an address that is free does: neither answer comes sooner."""
        make_password(get_random_string(20))
        super().send_account_already_exists_mail(email)

    def reauthenticate(self, user: User, password: str) -> bool:
        """A session that proved its password gets a new key, so that a cookie stolen earlier proves nothing."""
        proved: bool = super().reauthenticate(user, password)
        if proved:
            current.request.session.cycle_key()
        return proved

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Who has a second factor proves that one: their password alone neither removes it nor shows recovery codes."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if isinstance(user, User) and second_factor.is_set_up(user):
            return [method for method in methods if method["url"] == reverse("mfa_reauthenticate")]
        return methods

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A dead mail server is told to the person, who can ask again; addresses without an account get mail as well,
        so this tells nobody who has one."""
        recipient = context.get("user")
        chosen = recipient.language if isinstance(recipient, User) else ""
        try:
            with translation.override(chosen or translation.get_language()):
                super().send_mail(template_prefix, email, context)
        except (OSError, smtplib.SMTPException) as problem:
            logger.warning("Could not send %s (%s)", template_prefix, problem)
            if current.request:
                messages.error(current.request, _("We can’t send e-mail right now. Please try again in a few minutes."))
