"""Passwords that are known from breaches, looked up without telling the password: the range API of Have I Been Pwned.

Only the first five hexadecimal digits of the SHA-1 leave this machine, and the answer is padded, so that neither the
service nor whoever listens learns which of some thousand passwords it was. Common passwords are refused without it.
"""

import hashlib
import logging

import requests
import urllib3
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

logger = logging.getLogger(__name__)

SECONDS = (1, 2)  # to connect, and between two pieces of the answer
LONGEST = 200_000  # bytes; a padded answer has about a third of that


class BreachedPasswordValidator:
    """Refuses what the service knows. Without its answer a password passes, and the log says so: nobody is shut out."""

    @sensitive_variables("password", "ending")
    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        beginning, ending = digest[:5], digest[5:]
        try:
            known = _asked(beginning)
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as problem:
            logger.warning("No answer about breached passwords (%s)", type(problem).__name__)
            return
        if known.get(ending):
            message = _("This password is known from a breach of another site. Choose one that you use nowhere else.")
            raise ValidationError(message, code="password_breached")

    def get_help_text(self) -> str:
        return _("Your password can’t be one that is known from a breach of another site.")


def _asked(beginning: str) -> dict[str, int]:
    """How often each ending was found. Padding is found 0 times."""
    with requests.get(
        f"{settings.BREACHED_PASSWORDS_URL}{beginning}",
        headers={"Add-Padding": "true"},
        timeout=SECONDS,
        allow_redirects=False,
        stream=True,
    ) as answer:
        answer.raise_for_status()
        if answer.status_code != requests.codes.ok:
            raise ValueError("Not the answer itself.")
        text = answer.raw.read(LONGEST, decode_content=True).decode("ascii")
    found = (line.partition(":") for line in text.splitlines())
    return {ending.strip().upper(): int(count) for ending, _colon, count in found if count}
