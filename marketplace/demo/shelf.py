"""More to browse: gigs of every category, on sale for some weeks, that the stories do not speak of."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog import covers
from marketplace.catalog import services as catalog
from marketplace.catalog.models import Category
from marketplace.catalog.plans import PlannedMilestone
from marketplace.demo import pictures
from payments.money import parse

NEWCOMERS = {
    "sol": ("Sol Adeyemi", "sol@example.com", "Europe/London", "Writes and translates: English, Spanish, Yoruba."),
    "ida": ("Ida Novák", "ida@example.com", "Europe/Prague", "Composes for small screens and records at home."),
    "omar": ("Omar Haddad", "omar@example.com", "Africa/Tunis", "Programs small tools, and tells people about them."),
}


@dataclass(frozen=True)
class Offered:
    """A gig of the demo. Each step: what is delivered, its price in whole dollars, days, revisions."""

    seller: str
    category: str
    title: str
    description: str
    motif: str
    colors: pictures.Palette
    steps: tuple[tuple[str, int, int, int | None], ...]


SHELF = (
    Offered(
        "mia",
        "logo-and-brand",
        "Brand guidelines on twelve pages",
        "For a logo you already have: colors, type, spacing and examples, so that everything you make next looks like "
        "you.",
        "pages",
        ((233, 240, 236), (24, 66, 52), (222, 168, 60)),
        (("Two pages to judge the style", 80, 3, 2), ("All twelve pages", 220, 7, 2), ("Templates", 90, 3, 1)),
    ),
    Offered(
        "theo",
        "video-and-animation",
        "Your logo animated, five seconds",
        "A short opening for your videos, with sound. You choose between two ideas before anything moves.",
        "video",
        ((40, 37, 61), (239, 236, 250), (244, 143, 117)),
        (("Two ideas as stills", 70, 2, 1), ("The animation", 160, 5, 2)),
    ),
    Offered(
        "lea",
        "illustration",
        "Editorial illustration for an article",
        "One picture that says what your article says, in ink and two colors.",
        "brush",
        ((238, 233, 220), (45, 55, 80), (203, 92, 66)),
        (("Three thumbnails", 60, 2, 1), ("Final illustration", 190, 5, 2)),
    ),
    Offered(
        "ravi",
        "websites",
        "Online shop for up to fifty products",
        "Design, payment, delivery and tax set up, and your first ten products entered with you.",
        "shop",
        ((225, 239, 240), (18, 69, 84), (240, 152, 70)),
        (
            ("Design of shop and product page", 320, 7, 2),
            ("Shop on a test address", 680, 14, 1),
            ("Payments and delivery", 240, 5, 1),
            ("Launch and handover", 160, 3, 1),
        ),
    ),
    Offered(
        "sol",
        "writing-and-translation",
        "Product texts that read like you",
        "I read what you have written so far, agree on a tone with you, and write twenty product texts in it.",
        "pen",
        ((246, 238, 214), (62, 48, 33), (58, 125, 96)),
        (("Tone on one page, one sample", 45, 2, 2), ("First ten texts", 150, 5, 1), ("Ten more", 150, 5, 1)),
    ),
    Offered(
        "sol",
        "writing-and-translation",
        "Your website in Spanish",
        "Up to 3,000 words, translated by hand and read aloud once more before you get them.",
        "pen",
        ((222, 233, 246), (33, 44, 84), (214, 96, 84)),
        (("Home page and glossary", 60, 2, 1), ("All other pages", 240, 6, 1)),
    ),
    Offered(
        "ida",
        "music-and-audio",
        "A theme for your podcast",
        "Thirty seconds to open, ten to close, and a bed to speak over. Yours for good.",
        "sound",
        ((47, 29, 52), (248, 230, 236), (236, 171, 92)),
        (("Three sketches", 60, 3, 1), ("Arranged and recorded", 180, 6, 2), ("Mix and all lengths", 60, 2, 1)),
    ),
    Offered(
        "omar",
        "programming",
        "A booking form that talks to your calendar",
        "Your customers see what is free, you see who comes. No monthly fees: the code is yours.",
        "code",
        ((22, 38, 58), (220, 232, 244), (95, 196, 150)),
        (("Clickable draft", 120, 3, 2), ("Working form", 380, 8, 1), ("On your site, with tests", 140, 3, 1)),
    ),
    Offered(
        "omar",
        "marketing",
        "Four letters that welcome new customers",
        "A short series for your mailing list: who you are, what you make, why it lasts, and one good offer.",
        "chart",
        ((250, 236, 225), (84, 40, 32), (52, 120, 158)),
        (("Plan and first letter", 90, 3, 2), ("Three more letters", 210, 6, 1)),
    ),
)


def fill(people: dict[str, User], password: str, now: datetime) -> None:
    """Make the newcomers, and put everything on sale, from old to new, weeks before `now`."""
    with clock.at(now - timedelta(days=90)):
        sellers = people | {
            key: User.objects.create_user(email, password, name=name, time_zone=zone, about=about)
            for key, (name, email, zone, about) in NEWCOMERS.items()
        }
    for weeks, offered in enumerate(reversed(SHELF), start=1):
        with clock.at(now - timedelta(days=89) + timedelta(weeks=weeks)):
            _offer(sellers[offered.seller], offered)


def _offer(seller: User, offered: Offered) -> None:
    plan = [
        PlannedMilestone(title, "", parse(str(price), "USD"), days, revisions)
        for title, price, days, revisions in offered.steps
    ]
    gig = catalog.create_gig(
        seller,
        title=offered.title,
        category=Category.objects.get(slug=offered.category),
        description=offered.description,
        currency="USD",
        plan=plan,
        cover=covers.keep(pictures.cover(offered.colors, offered.motif)),
    )
    catalog.publish(gig, by=seller)
