"""allauth's forms that take a code of the second factor. None is checked where wrong ones cannot be counted and used
ones are not known: while the cache fails."""

import logging
from collections.abc import Callable

from allauth.core import context as current
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from redis.exceptions import RedisError

from marketplace.accounts.models import User

logger = logging.getLogger(__name__)


class SignInForm(AuthenticateForm):  # type: ignore[misc]
    def clean_code(self) -> str:
        return _counted(self.user, super().clean_code)


class ProofForm(ReauthenticateForm):  # type: ignore[misc]
    """In a session that began before; it gets a new key, so that a cookie stolen earlier is not let in with it."""

    def clean_code(self) -> str:
        return _counted(self.user, super().clean_code)

    def save(self) -> None:
        super().save()
        current.request.session.cycle_key()


class SetUpForm(ActivateTOTPForm):  # type: ignore[misc]
    def clean_code(self) -> str:
        return _counted(self.user, super().clean_code)


def _counted(person: User, check: Callable[[], str]) -> str:
    try:
        with cache.unforgiving():
            return check()
    except RedisError:
        raise get_adapter().validation_error("codes_unchecked") from None
    except ValidationError:
        logger.info("A code was wrong, for user %s", person.pk)
        raise
