"""The second factor: a code from an authenticator app, or a recovery code. Anybody may have one, staff must."""

import base64
import logging

import qrcode
from allauth.account.authentication import get_authentication_records
from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt, encrypt
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from qrcode.image.svg import SvgPathImage

from marketplace.accounts.models import User

logger = logging.getLogger(__name__)

APP = Authenticator.Type.TOTP
ENCRYPTED = {APP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}
ANSWER = "second_factor_was_used"


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps secrets encrypted, with a key made from SECRET_KEY, and draws the QR code for a strict CSP."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "unverified_email": _("Confirm your e-mail address first, so that nobody locks out its owner."),
        "codes_unchecked": _("Codes cannot be checked right now. Try again in a minute."),
        "add_email_blocked": _("Remove your second factor before you add an address, and set it up again afterwards."),
    }

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What was encrypted with a SECRET_KEY that is gone becomes a secret that nobody knows: no code fits it."""
        try:
            return _cipher().decrypt(encrypted_text).decode()
        except InvalidToken:
            logger.error("A second factor was encrypted with another SECRET_KEY: see SECRET_KEY_FALLBACKS")  # noqa: TRY400
            return str(generate_totp_secret())

    def build_totp_svg(self, url: str) -> str:
        """An element for the page itself: our CSP lets in no data address."""
        return str(qrcode.make(url, image_factory=SvgPathImage).to_string(encoding="unicode"))


def is_set_up(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type=APP).exists())


def was_used(request: HttpRequest) -> bool:
    """Whether whoever is signed in proved, in this session, a second factor that they still have.

    The request remembers the answer: a page of admin asks several times.
    """
    if not hasattr(request, ANSWER):
        setattr(request, ANSWER, _was_used(request))
    return bool(getattr(request, ANSWER))


def set_up(user: User, secret: str) -> Authenticator:
    """Give a person an authenticator app with this secret (base 32), as its QR code would."""
    return Authenticator.objects.create(user=user, type=APP, data={"secret": encrypt(secret)})


def secret_of(user: User) -> str | None:
    """The secret of a person's authenticator app, or None if they have none."""
    factor = Authenticator.objects.filter(user=user, type=APP).first()
    return decrypt(factor.data["secret"]) if factor else None


def code(secret: str, at: float) -> str:
    """What an authenticator app with this secret shows at this instant (seconds since 1970)."""
    return str(format_hotp_value(hotp_value(secret, int(at) // app_settings.TOTP_PERIOD)))


@transaction.atomic
def encrypt_anew() -> tuple[int, int]:
    """Encrypt every secret with the present SECRET_KEY, so that former ones need not be kept: all of them or none.

    Returns how many there are, and how many more no key reads, which stay as they are.
    """
    done = unread = 0
    for factor in Authenticator.objects.select_for_update().filter(type__in=ENCRYPTED).order_by("pk"):
        name = ENCRYPTED[factor.type]
        try:
            factor.data[name] = _cipher().rotate(factor.data[name]).decode()
        except InvalidToken:
            unread += 1
        else:
            factor.save(update_fields=["data"])
            done += 1
    return done, unread


def _was_used(request: HttpRequest) -> bool:
    if not isinstance(request.user, User):
        return False
    used = [record["id"] for record in get_authentication_records(request, request.user) if record["method"] == "mfa"]
    return bool(used) and Authenticator.objects.filter(user=request.user, pk__in=used).exists()


def _cipher() -> MultiFernet:
    """Encrypts with a key made from SECRET_KEY, and also reads what a former one encrypted."""
    keys = (
        salted_hmac("marketplace.second_factor", "key", secret=secret, algorithm="sha256").digest()
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
