"""Proving once more who one is, before what would hurt most in the wrong hands."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest

from marketplace.accounts.requests import SignedInRequest


def proof_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Ask for the password, or for a code of whoever has a second factor, and then go on with what was asked for.

    Who signed in or proved it a short while ago (ACCOUNT_REAUTHENTICATION_TIMEOUT) is not asked. Goes below
    `login_required`.
    """

    @wraps(view)
    def asked(request: SignedInRequest, *args: Any, **kwargs: Any) -> Any:
        if not was_proved_lately(request):
            raise ReauthenticationRequired  # allauth's middleware keeps what was posted meanwhile
        return view(request, *args, **kwargs)

    return asked


def was_proved_lately(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user if request.user.is_authenticated else None)
    return any(time.time() - record["at"] < app_settings.REAUTHENTICATION_TIMEOUT for record in records)
