"""Passwords that are made of this site's own words: who guesses tries its name first (OWASP ASVS V6.1.2, V6.2.11)."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

OF_THE_TRADE = ("marketplace", "milestone", "seller", "buyer", "order", "gig", "escrow", "support")
LEAST = 4  # letters besides


class SiteWordsValidator:
    """Refuses what is nothing but the names of the site, of its operator and of the trade, digits and signs."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        left = "".join(_letters(password))
        for word in sorted(site_words(), key=len, reverse=True):
            left = left.replace(word, "")
        if len(left) < LEAST and left != "".join(_letters(password)):
            raise ValidationError(_("This password is made of words that stand all over this site."), code="site_words")

    def get_help_text(self) -> str:
        return _("Your password can’t be made of this site’s own words.")


def site_words() -> set[str]:
    """In lower case, without signs; words of two letters would be found in anything."""
    host = urlsplit(settings.SITE_URL).hostname or ""
    named = f"{settings.SITE_NAME} {settings.OPERATOR_NAME} {host}"
    return {word for word in (*_letters(named), *OF_THE_TRADE) if len(word) > 2}


def _letters(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())
