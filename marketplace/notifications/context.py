"""The unread count in the navigation."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from marketplace.notifications.models import Notice


def unread_notices(request: HttpRequest) -> dict[str, object]:
    """Counted once, and only by a page that shows it.

    A request that was refused before it was known whose it is (for a host that is not ours) has no `user` at all.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"unread_notices": 0}
    return {"unread_notices": SimpleLazyObject(Notice.objects.filter(recipient=user).unread().count)}
