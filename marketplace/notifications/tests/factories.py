import factory

from marketplace import clock
from marketplace.accounts.tests.factories import UserFactory
from marketplace.notifications.models import Notice


class NoticeFactory(factory.django.DjangoModelFactory[Notice]):
    """A notice that is due to be mailed."""

    class Meta:
        model = Notice

    recipient = factory.SubFactory(UserFactory)
    kind = "delivered"
    own_title = "Theo delivered “Storyboard”"
    own_text = "You have 8 days to accept it or to ask for a revision."
    url = "/orders/MP-7K3X-9Q2D/"
    key = factory.Sequence(lambda number: f"event:{number}")
    created_at = factory.LazyFunction(clock.now)
    next_attempt_at = factory.SelfAttribute("created_at")
