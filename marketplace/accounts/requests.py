"""The request of somebody who is signed in, for the type checker: `@login_required` sees to it."""

from django.http import HttpRequest

from marketplace.accounts.models import User


class SignedInRequest(HttpRequest):
    user: User
