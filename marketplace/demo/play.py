"""The whole demo, in the order in which its parts build on each other."""

from datetime import datetime, timedelta

from marketplace import clock
from marketplace.demo import disputes, people, purses, reviews, shelf, stories
from marketplace.demo.people import Cast
from orders.models import Attachment
from orders.services import draw_previews


def play(now: datetime) -> Cast:
    """People, gigs, reviews and orders in every state, as they stand at `now`; wants an empty database."""
    with clock.at(now - timedelta(days=200)):
        cast = people.settle_in()
    shelf.fill(cast.people, people.PASSWORD, now)
    reviews.tell_earlier(cast, now)
    stories.tell(cast, now)
    disputes.tell(cast, now)
    reviews.tell(cast, now)
    purses.fill(cast, now)
    draw_previews(Attachment.objects.filter(preview_tries__gt=0).values_list("pk", flat=True))
    return cast
