"""Pages that are sent once: each is given the number its order will have, so that a double click makes one order."""

from django.core import signing
from django.http import HttpRequest
from django.utils.translation import gettext as _

from marketplace.accounts.requests import SignedInRequest
from orders.guards import Refusal, Refused
from orders.models.order import new_number

SIGNER = signing.Signer(salt="checkout")


def token_for(request: HttpRequest) -> str:
    """What the page carries in a hidden field: a new number, bound to the person it is given to."""
    return SIGNER.sign(f"{request.user.pk} {new_number()}")


def number_of(request: SignedInRequest, token: str) -> str:
    """The number that the page was given. Raises `Refused` for a forged token and for somebody else's."""
    try:
        user_id, number = SIGNER.unsign(token).split(" ")
    except (signing.BadSignature, ValueError):
        raise Refused(Refusal(_("This page has expired. Please send it once more."))) from None
    if user_id != str(request.user.pk):
        raise Refused(Refusal(_("This page was opened by somebody else. Please send it once more.")))
    return number
