"""The custom user. Buyer and seller are roles on an order, not kinds of account."""

import secrets
import unicodedata
import zoneinfo
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.accounts.sessions import Session as Session

HANDLE_LENGTH = 40


def languages() -> list[tuple[str, str]]:
    """The languages of the site. A function, so that another one needs no migration."""
    return list(settings.LANGUAGES)


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("Choose a time zone from the list, such as Europe/Madrid."), code="time_zone")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, *, name: str, **fields: Any) -> "User":
        """Create a person, with a handle made from the name.

        Raises IntegrityError if the e-mail address is taken, in whatever case it is written.
        """
        user = self.model(email=email, name=name, **fields)
        user.set_password(password)
        self.join(user)
        return user

    def create_superuser(self, email: str, password: str | None = None, *, name: str, **fields: Any) -> "User":
        return self.create_user(email, password, name=name, **(fields | {"is_staff": True, "is_superuser": True}))

    def join(self, user: "User") -> None:
        """Save a new person for the first time: the address in lower case, a free handle, the instant of joining."""
        user.email = self.normalize_email(user.email)
        user.joined_at = clock.now()
        if user.handle:
            user.save(using=self._db)
            return
        base = handle_from(user.name)
        user.handle = base
        while True:
            try:
                with transaction.atomic(using=self._db):
                    user.save(using=self._db)
            except IntegrityError:
                if not self.filter(handle=user.handle).exists():
                    raise
                user.handle = f"{base}-{secrets.token_hex(3)}"
            else:
                return

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> "User":
        """The person with this e-mail address, in whatever case it is written."""
        return self.alias(lower_email=Lower("email")).get(lower_email=self.normalize_email(username))


def handle_from(name: str) -> str:
    """The public name of a person as a slug; never made from the e-mail address, which nobody else may see."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return slugify(plain)[:HANDLE_LENGTH].strip("-") or "member"


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=80, help_text=_("Shown to everybody. Your e-mail address is not."))
    handle = models.SlugField(_("handle"), max_length=HANDLE_LENGTH + 7, unique=True)
    about = models.TextField(_("about"), blank=True, max_length=2000)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])
    language = models.CharField(
        _("language"), max_length=10, blank=True, choices=languages, help_text=_("Empty: as the browser asks.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May enter the administration."))
    joined_at = models.DateTimeField(_("joined at"), editable=False)
    signed_out_at = models.DateTimeField(
        _("signed out at"), null=True, editable=False, help_text=_("Sessions that began before have ended.")
    )
    closed_at = models.DateTimeField(
        _("closed at"), null=True, editable=False, help_text=_("By its owner, for good: nothing of them is left here.")
    )
    rating_sum = models.PositiveIntegerField(
        _("rating sum"), default=0, editable=False, help_text=_("Of the published reviews as seller.")
    )
    rating_count = models.PositiveIntegerField(_("rating count"), default=0, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_account_per_email_in_any_case"),
        ]
        indexes = [
            # Suggestions of a search: people by their names as they begin to be typed.
            GinIndex(SearchVector("name", config="simple"), name="person_name_words"),
            # The sweep over the orders of deactivated sellers (O20).
            models.Index(fields=["id"], condition=Q(is_active=False), name="people_deactivated"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("catalog:seller", args=[self.handle])

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What ends sessions when it changes: the password, and being signed out everywhere."""
        of_password: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        if self.signed_out_at is None:
            return of_password
        seen = f"{of_password} {self.signed_out_at.timestamp()}"
        return salted_hmac("marketplace.accounts.sessions", seen, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name
