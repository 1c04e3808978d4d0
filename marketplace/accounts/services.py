"""The verbs of accounts."""

import logging

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.models import User

logger = logging.getLogger(__name__)


class AccountError(Exception):
    """A verb of accounts was refused and nothing was changed. The message is for people."""


@transaction.atomic
def deactivate(user: User, *, by: User) -> bool:
    """Close the doors on a person (O20): no sign-in, and every session ends with its next request, for good.

    Returns False if that was done already. Raises AccountError for oneself, and for staff unless a superuser does it.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    _check(user, by)
    if not user.is_active:
        return False
    user.is_active, user.signed_out_at = False, clock.now()
    user.save(update_fields=["is_active", "signed_out_at"])
    logger.info("User %s was deactivated by %s", user.pk, by.pk)
    return True


@transaction.atomic
def reactivate(user: User, *, by: User) -> bool:
    """Open the doors again. Returns False if they were open.

    Raises AccountError as `deactivate` does, and for an account that its owner closed: nobody is left to enter it.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    _check(user, by)
    if user.closed_at:
        raise AccountError(_("Its owner closed this account for good."))
    if user.is_active:
        return False
    user.is_active = True
    user.save(update_fields=["is_active"])
    logger.info("User %s was reactivated by %s", user.pk, by.pk)
    return True


@transaction.atomic
def remove_second_factor(user: User, *, by: User) -> bool:
    """Take away a lost authenticator app and the recovery codes: the person can sign in, and staff set up a new one.

    Sessions in which it was used lose the administration at once. Returns False if there was none. Raises AccountError
    for oneself, whose own page asks for a code first, and unless a superuser does it.
    """
    if user.pk == by.pk:
        raise AccountError(_("Nobody removes their own second factor here: go to your profile."))
    if not by.is_superuser:
        raise AccountError(_("Only a superuser removes the second factor of somebody."))
    removed, _by_model = Authenticator.objects.filter(user=user).delete()
    if removed:
        logger.info("The second factor of user %s was removed by %s", user.pk, by.pk)
    return bool(removed)


@transaction.atomic
def sign_out_everywhere(user: User) -> None:
    """End every session of a person; the one that asks for it is kept by `update_session_auth_hash`."""
    user.signed_out_at = clock.now()
    user.save(update_fields=["signed_out_at"])
    logger.info("User %s signed out everywhere", user.pk)


def confirm_email(user: User) -> None:
    """Vouch for the address of a person who did not sign up themselves (demo people, staff made in admin)."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


def _check(user: User, by: User) -> None:
    if user.pk == by.pk:
        raise AccountError(_("Nobody deactivates or reactivates themselves."))
    if (user.is_staff or user.is_superuser) and not by.is_superuser:
        raise AccountError(_("Only a superuser may do this to staff."))
