"""The verbs of accounts."""

import logging

from allauth.account.models import EmailAddress
from django.db import transaction

from marketplace.accounts.models import User

logger = logging.getLogger(__name__)


class AccountError(Exception):
    """A verb of accounts was refused and nothing was changed. The message is for people."""


@transaction.atomic
def deactivate(user: User, *, by: User) -> bool:
    """Close the doors on a person (O20): no sign-in, and every session ends with its next request.

    Returns False if that was done already. Raises AccountError for oneself, and for staff unless a superuser does it.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    _check(user, by)
    if not user.is_active:
        return False
    user.is_active = False
    user.save(update_fields=["is_active"])
    logger.info("User %s was deactivated by %s", user.pk, by.pk)
    return True


@transaction.atomic
def reactivate(user: User, *, by: User) -> bool:
    """Open the doors again. Returns False if they were open. Raises AccountError as `deactivate` does."""
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    _check(user, by)
    if user.is_active:
        return False
    user.is_active = True
    user.save(update_fields=["is_active"])
    logger.info("User %s was reactivated by %s", user.pk, by.pk)
    return True


def confirm_email(user: User) -> None:
    """Vouch for the address of a person who did not sign up themselves (demo people, staff made in admin)."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


def _check(user: User, by: User) -> None:
    if user.pk == by.pk:
        raise AccountError("Nobody deactivates or reactivates themselves.")
    if (user.is_staff or user.is_superuser) and not by.is_superuser:
        raise AccountError("Only a superuser may do this to staff.")
