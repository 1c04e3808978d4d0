"""What has happened since a form was drawn (O19)."""

from marketplace.accounts.models import User
from orders.activity import sentence
from orders.locking import Stale
from orders.models import Event, Order
from orders.words import SENTENCES


def changes_since(stale: Stale | None, order: Order, viewer: User) -> list[str]:
    """In words, as `viewer` reads them; empty for a form that was not stale."""
    if stale is None:
        return []
    since = Event.objects.filter(order=order, version__gt=stale.seen).select_related("actor", "milestone")
    return [sentence(event, order, viewer) for event in since if not SENTENCES[event.kind].hidden]
