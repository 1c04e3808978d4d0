"""Who lives in the demo, and what they offer."""

from dataclasses import dataclass

from django.contrib.auth.models import Group

from marketplace.accounts import second_factor
from marketplace.accounts.models import User
from marketplace.catalog import covers
from marketplace.catalog import services as catalog
from marketplace.catalog.examples import EXAMPLES
from marketplace.catalog.models import Category, Gig
from marketplace.catalog.plans import PlannedMilestone
from marketplace.demo import pictures
from payments.money import parse

PASSWORD = "milestone-demo"  # noqa: S105 – printed at the start, for a database that lives on this machine only
# Of the authenticator app of each of the demo's staff. No secret, as it stands here: `manage.py second_factor` tells
# its codes, and those of no other.
APP_SECRET = "MRSW23ZANVUWYZLTORXW4ZJAMRSW23ZA"  # noqa: S105

PEOPLE = {
    "ana": ("Ana Ruiz", "ana@example.com", "Europe/Madrid", "Runs a honey farm near Burgos."),
    "ben": ("Ben Okafor", "ben@example.com", "Africa/Lagos", "Opens a bakery, and buys everything for it here."),
    "theo": ("Theo Lindqvist", "theo@example.com", "Europe/Stockholm", "Draws explainer videos by hand."),
    "mia": ("Mia Tanaka", "mia@example.com", "Asia/Tokyo", "Logos and small brands. Twelve years in print."),
    "ravi": ("Ravi Menon", "ravi@example.com", "Asia/Kolkata", "Builds small, fast websites."),
    "lea": ("Léa Moreau", "lea@example.com", "Europe/Paris", "Illustrates books for children."),
}

GIGS: tuple[tuple[str, str, pictures.Palette, str], ...] = (
    ("theo", "explainer-video", ((16, 84, 62), (240, 244, 238), (222, 168, 60)), "video"),
    ("mia", "logo-design", ((247, 240, 226), (38, 48, 43), (190, 74, 48)), "logo"),
    ("ravi", "small-website", ((226, 236, 247), (27, 55, 92), (43, 110, 170)), "site"),
    ("lea", "book-illustrations", ((252, 236, 232), (92, 44, 62), (214, 110, 120)), "book"),
)


@dataclass(frozen=True)
class Cast:
    people: dict[str, User]
    gigs: dict[str, Gig]
    support: User
    finance: User
    admin: User

    def __getitem__(self, name: str) -> User:
        return self.people[name]


def settle_in() -> Cast:
    """Make the people, their gigs, one support agent, one of finance and one administrator."""
    people = {
        key: User.objects.create_user(email, PASSWORD, name=name, time_zone=zone, about=about)
        for key, (name, email, zone, about) in PEOPLE.items()
    }
    support = User.objects.create_user("support@example.com", PASSWORD, name="Sam Support", is_staff=True)
    support.groups.add(Group.objects.get(name="Support"))
    finance = User.objects.create_user("finance@example.com", PASSWORD, name="Fiona Finance", is_staff=True)
    finance.groups.add(Group.objects.get(name="Finance"))
    admin = User.objects.create_superuser("admin@example.com", PASSWORD, name="Admin")
    for staff in (support, finance, admin):
        second_factor.set_up(staff, APP_SECRET)
    gigs = {seller: _offer(people[seller], slug, colors, motif) for seller, slug, colors, motif in GIGS}
    return Cast(people, gigs, support, finance, admin)


def _offer(seller: User, slug: str, colors: pictures.Palette, motif: str) -> Gig:
    example = EXAMPLES[slug]
    plan = [
        PlannedMilestone(str(title), str(description), parse(str(price), "USD"), days, int(revisions))
        for title, description, price, days, revisions in example.steps
    ]
    gig = catalog.create_gig(
        seller,
        title=str(example.title),
        category=Category.objects.get(slug=example.category),
        description=str(example.description),
        currency="USD",
        plan=plan,
        cover=covers.keep(pictures.cover(colors, motif)),
    )
    return catalog.publish(gig, by=seller)
