"""The unread count in the navigation."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from marketplace.notifications.models import Notice


def unread_notices(request: HttpRequest) -> dict[str, object]:
    """Counted once, and only by a page that shows it."""
    if not request.user.is_authenticated:
        return {"unread_notices": 0}
    return {"unread_notices": SimpleLazyObject(Notice.objects.filter(recipient=request.user).unread().count)}
