"""What buyers and sellers said of each other: of older work that only this is left of, and of the stories' orders."""

from datetime import datetime
from functools import partial
from typing import NamedTuple

from marketplace.accounts.models import User
from marketplace.demo.people import PASSWORD, Cast
from marketplace.demo.stories import Story
from marketplace.reviews.services import publish_due_reviews, write_review
from orders.models import Order

REGULARS = {
    "noor": ("Noor Haddad", "noor@example.com", "Asia/Amman", "Publishes picture books."),
    "tom": ("Tom Becker", "tom@example.com", "Europe/Berlin", "Repairs bicycles and sells a few."),
    "ines": ("Inês Carvalho", "ines@example.com", "Europe/Lisbon", "Teaches ceramics."),
}


class Said(NamedTuple):
    """Stars and words."""

    rating: int
    text: str = ""


class Earlier(NamedTuple):
    """An order of which one milestone was done `days` ago; its sides' reviews."""

    days: int
    buyer: str
    seller: str
    brief: str
    of_seller: Said | None
    of_buyer: Said | None


EARLIER = (
    Earlier(
        150,
        "tom",
        "theo",
        "How to mend a flat tire, in a minute.",
        Said(5, "My customers watch it while they wait. Clear from the first script on."),
        Said(5, "Knew what he wanted and answered the same day."),
    ),
    Earlier(
        140,
        "noor",
        "lea",
        "Three goats for a book about mountains.",
        Said(5, "The goats have more character than the text. We are making a second book."),
        Said(5, "A pleasure. Precise notes, kind words."),
    ),
    Earlier(
        128,
        "ines",
        "mia",
        "A stamp for the bottom of cups.",
        Said(4, "Beautiful, and it still reads when the glaze runs. A day later than I hoped."),
        Said(5),
    ),
    Earlier(
        117,
        "tom",
        "ravi",
        "A page with prices and opening hours.",
        Said(4, "Loads at once, even in the workshop. I would have liked one more picture."),
        Said(4, "Friendly. The texts came a little late."),
    ),
    Earlier(
        104,
        "ines",
        "theo",
        "What happens in a kiln.",
        Said(4, "The drawing is lovely; the first script was too long, the second was right."),
        Said(5, "Patient, and great questions."),
    ),
    Earlier(
        96,
        "noor",
        "mia",
        "A mark for the spines of our books.",
        Said(5, "Three directions, each of which we could have taken."),
        Said(5, "Decides fast and says why."),
    ),
    Earlier(
        83,
        "ines",
        "ravi",
        "Courses and how to book them.",
        Said(5, "I can change everything myself now. That was the point."),
        None,
    ),
    Earlier(
        71,
        "tom",
        "lea",
        "A bear on a cargo bike.",
        Said(3, "Good drawing. It is more a bicycle than a cargo bike, so I stopped after the sketches."),
        Said(4, "A fair ending: he said early what did not fit."),
    ),
    # Léa has written, Ana may: neither is read yet.
    Earlier(11, "ana", "lea", "A bee for the lid of the jars.", None, Said(5, "Ana draws almost as well as I do.")),
)


def tell_earlier(cast: Cast, now: datetime) -> None:
    """Orders from before the stories: one milestone was done, then the buyer stopped, and they reviewed each other."""
    regulars = {
        key: User.objects.create_user(email, PASSWORD, name=name, time_zone=zone, about=about)
        for key, (name, email, zone, about) in REGULARS.items()
    }
    for one in EARLIER:
        _tell_one(one, Story(now, regulars.get(one.buyer) or cast[one.buyer]), cast)


def tell(cast: Cast, now: datetime) -> None:
    """Reviews of the stories' own orders: of both sides, and one that nobody answered."""
    ended = {order.brief: order for order in Order.objects.filter(status=Order.Status.COMPLETED)}
    logo = ended["A logo for a bakery: warm, no wheat ears please."]
    site = ended["A shop window for the honey farm, nothing more."]
    animals = ended["Six animals that bake."]
    steps = (
        (47, logo, logo.buyer, 5, "Warm, and no wheat ears. The second direction was my favorite as well."),
        (46, logo, logo.seller, 5, "Ben says what he sees and why. Any time again."),
        (31, site, site.buyer, 4, "Exactly the shop window I asked for. I stopped there because it was enough."),
        (12, animals, animals.buyer, 5, "All six bake. The hedgehog is on our bags now."),
        (9, animals, animals.seller, 5, "The best brief I had this year."),
    )
    for days, order, author, rating, text in steps:
        Story(now, order.buyer).do(partial(write_review, order, by=author, rating=rating, text=text), days=days)
    publish_due_reviews()


def _tell_one(one: Earlier, story: Story, cast: Cast) -> None:
    story.do(lambda: story.place(cast.gigs[one.seller], one.brief), days=one.days)
    story.do(lambda: story.deliver("Here is the first step.", 1), days=one.days - 3)
    story.do(story.accept, days=one.days - 4).do(story.stop, days=one.days - 5)
    for author, said in ((story.buyer, one.of_seller), (story.order.seller, one.of_buyer)):
        if said:
            write = partial(write_review, story.order, by=author, rating=said.rating, text=said.text)
            story.do(write, days=one.days - 6)
