"""Sessions that know whose they are: rows of Django's own table, with the person, the device and when it was used.

`SESSION_ENGINE` names this module. Sessions tell the time by the clock of the machine, as Django's own do.
"""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DBStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

BEGAN, DEVICE = "began", "device"  # in the data of a session: seconds since 1970; what the browser says of itself
DEVICE_LENGTH = 300


class Session(AbstractBaseSession):
    """A browser's session. Nobody's until somebody signs in; whose it is follows from its data at each save."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions")
    device = models.CharField(max_length=DEVICE_LENGTH, blank=True, db_default="")
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta(AbstractBaseSession.Meta):
        db_table = "django_session"  # which was there before, so that an upgrade signs nobody out

    @classmethod
    def get_session_store_class(cls) -> type["SessionStore"]:
        return SessionStore

    @property
    def public_id(self) -> str:
        """Names the session on a page, where its key would be the key to the account."""
        return salted_hmac("marketplace.accounts.sessions.public", self.session_key).hexdigest()[:32]


class SessionStore(DBStore):
    """Django's sessions in the database; `row` is what was read of this one."""

    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        self.row = super()._get_session_from_db()  # type: ignore[misc]
        return self.row

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to save. Whoever signs in begins here, however they did; a new key goes on with the old session."""
        if SESSION_KEY in data:
            data.setdefault(BEGAN, int(timezone.now().timestamp()))
        row = super().create_model_instance(data)
        assert isinstance(row, Session)
        if SESSION_KEY in data:
            row.person_id = int(data[SESSION_KEY])
            row.device = data.get(DEVICE, "")
            row.started_at = datetime.fromtimestamp(data[BEGAN], UTC)
        row.seen_at = timezone.now()
        return row
