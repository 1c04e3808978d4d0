"""What the e-mails say and how they look: text and HTML, in the recipient's language and time zone (P4)."""

import hashlib
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import ngettext

from marketplace.accounts.models import User
from marketplace.accounts.reader import reading_as
from marketplace.notifications.models import Digest, Notice
from marketplace.notifications.preferences import DIGEST, stop_token
from marketplace.notifications.topics import ABOUT, topic_of
from marketplace.notifications.wording import word


def letter(mail: Notice | Digest) -> EmailMultiAlternatives:
    """The e-mail of a notice or a digest. Its Message-ID is always the same one.

    A notice with words of its own says those; an event is told anew (`wording`).
    """
    with reading_as(mail.recipient):
        return _of_digest(mail) if isinstance(mail, Digest) else _of_notice(mail)


def _of_notice(notice: Notice) -> EmailMultiAlternatives:
    topic = topic_of(notice.kind)
    context = {
        "notice": notice,
        "lines": notice.text.splitlines(),
        "action_url": _address(notice.url),
        "action": ABOUT[topic].action,
        "topic": topic.label,
    }
    name = f"notice-{notice.pk}-{_digits(f'{notice.pk}:{notice.key}')}"
    return _letter("notice", notice.recipient, notice.title, topic.value, name, context)


def _of_digest(digest: Digest) -> EmailMultiAlternatives:
    notices = list(digest.notices.order_by("created_at", "pk"))
    word(notices)
    subject = ngettext("Your daily digest: {count} notice", "Your daily digest: {count} notices", len(notices))
    context = {
        "title": subject.format(count=len(notices)),
        "entries": [(notice, _address(notice.url), notice.text.splitlines()) for notice in notices],
        "list_url": _address(reverse("notifications:list")),
    }
    name = f"digest-{digest.pk}-{_digits(f'{digest.pk}:{digest.created_at.isoformat()}')}"
    return _letter("digest", digest.recipient, context["title"], DIGEST, name, context)  # type: ignore[arg-type]


def _letter(
    template: str, person: User, subject: str, what: str, name: str, context: dict[str, Any]
) -> EmailMultiAlternatives:
    stop_url = _address(reverse("notifications:stop", args=[stop_token(person.pk, what)]))
    context |= {"stop_url": stop_url, "preferences_url": _address(reverse("notifications:preferences"))}
    email = EmailMultiAlternatives(
        # One line, whatever was told: a header ends where its line ends.
        subject=" ".join(subject.split()),
        body=render_to_string(f"mail/{template}.txt", context).strip(),
        to=[person.email],
        headers={
            "Message-ID": f"<{name}@{urlsplit(settings.SITE_URL).hostname}>",
            # RFC 8058: mail programs offer a button that posts to this address.
            "List-Unsubscribe": f"<{stop_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    email.attach_alternative(render_to_string(f"mail/{template}.html", context), "text/html")
    return email


def _address(path: str) -> str:
    return f"{settings.SITE_URL.rstrip('/')}{path}"


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
