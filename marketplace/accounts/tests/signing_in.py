"""Who is signed in by `force_login` has just given their password; staff have a second factor too and used it.

A plugin of the whole suite: the administration opens for nobody else, nor do withdrawals. `sign_in_by_password_alone`
is for the tests of just that.
"""

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.test import Client

from marketplace.accounts import second_factor
from marketplace.accounts.models import User

SECRET = "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"

sign_in_by_password_alone = Client.force_login


def force_login(client: Client, user: User, backend: str | None = None) -> None:
    sign_in_by_password_alone(client, user, backend)
    if user.is_staff:
        use_second_factor(client, user)
    else:
        request = HttpRequest()
        request.session = client.session
        record_authentication(request, user, "password", email=user.email)
        request.session.save()


def use_second_factor(client: Client, user: User) -> None:
    """Record in the session what typing a code records, after setting it up for people who have none."""
    factor = Authenticator.objects.filter(user=user, type=second_factor.APP).first()
    factor = factor or second_factor.set_up(user, SECRET)
    request = HttpRequest()
    request.session = client.session
    record_authentication(request, user, "mfa", id=factor.pk, type=factor.type)
    request.session.save()


Client.force_login = force_login  # type: ignore[method-assign, assignment]
