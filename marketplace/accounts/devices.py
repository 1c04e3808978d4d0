"""Where somebody is signed in: how long that lasts, what it is called, and signing out there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.accounts.sessions import BEGAN, DEVICE, DEVICE_LENGTH, Session, SessionStore

LISTED = 50  # of the newest; whoever has more ends them all at once
# What is in a browser's name for itself. The first that fits is meant: most claim to be others as well.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@dataclass(frozen=True)
class Device:
    """A line of the list."""

    public_id: str
    name: str
    started_at: datetime | None
    seen_at: datetime | None
    is_here: bool


def lifetimes(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """End sessions that are too old or were not used for too long; note which are used, and by what device.

    Whoever was signed in when the request came and is not when it is answered, for whatever reason, leaves nothing
    behind in the browser. Cookies are not cleared as a whole: that would reach every site of the operator's domain,
    and take the chosen language. The session's own is deleted.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        session = request.session
        was_signed_in = settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in session
        if was_signed_in and isinstance(request.user, User):
            if _is_over(request.user, session):
                logout(request)
            else:
                _note_use(session)
        response = get_response(request)
        if SESSION_KEY in session:
            if session.modified and DEVICE not in session:
                session[DEVICE] = request.headers.get("User-Agent", "").replace("\0", "")[:DEVICE_LENGTH]
        elif was_signed_in:
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    return middleware


def devices_of(person: User, here: str | None) -> list[Device]:
    """Where this person is signed in at present, the session with the key `here` first, then as they were used."""
    found = [
        Device(row.public_id, name_of(row.device), row.started_at, row.seen_at, row.session_key == here)
        for row in _open(person)
    ]
    return sorted(found, key=lambda device: not device.is_here)


def sign_out_there(person: User, public_id: str, *, here: str | None) -> bool:
    """End a session of this person, but for that with the key `here`. False if none of this name is open (any more)."""
    for row in _open(person):
        if row.public_id == public_id and row.session_key != here:
            return bool(Session.objects.filter(pk=row.pk).delete()[0])
    return False


def name_of(agent: str) -> str:
    """What people call the browser that says this of itself; a guess, for whoever has to know a device again."""
    browser = next((name for part, name in BROWSERS.items() if part in agent), "")
    system = next((name for part, name in SYSTEMS.items() if part in agent), "")
    if browser and system:
        return _("{browser} on {system}").format(browser=browser, system=system)
    return browser or system or _("Unknown device")


def _open(person: User) -> list[Session]:
    hashes = {person.get_session_auth_hash(), *person.get_session_auth_fallback_hash()}
    now = timezone.now()
    rows = Session.objects.filter(
        person=person,
        expire_date__gt=now,
        started_at__gt=now - _lifetime(person),
        seen_at__gt=now - settings.SESSION_UNUSED,
    )
    newest = rows.order_by("-seen_at", "session_key")[:LISTED]
    return [row for row in newest if row.get_decoded().get(HASH_SESSION_KEY) in hashes]


def _lifetime(person: User) -> timedelta:
    return settings.SESSION_OF_STAFF if person.is_staff else settings.SESSION_AT_MOST


def _is_over(person: User, session: SessionStore) -> bool:
    now = timezone.now()
    began = session.setdefault(BEGAN, int(now.timestamp()))  # those from before this was noted begin now
    used = session.row.seen_at if session.row else None
    too_old = now.timestamp() - began > _lifetime(person).total_seconds()
    return too_old or (used is not None and now - used > settings.SESSION_UNUSED)


def _note_use(session: SessionStore) -> None:
    """At most once an hour. Nothing else of the row is written: another request may be changing it."""
    now = timezone.now()
    row = session.row
    if row and (row.seen_at is None or now - row.seen_at > settings.SESSION_NOTED_EVERY):
        Session.objects.filter(pk=row.pk).update(seen_at=now)
