"""Whom and what the stories need: staff, and for each story a buyer, a seller and a gig of their own."""

from datetime import datetime, timedelta

from django.contrib.auth.models import Group

import payments.services
from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog import services as catalog
from marketplace.catalog.models import Category, Gig, Terms
from marketplace.catalog.plans import PlannedMilestone

from .plots import PLOTS
from .story import Plot, Staff, Story, do_what_is_due

BEFORE_ALL = timedelta(days=4 * 365)
ABOUT = "Works by day, answers in the evening, and has done so for years. Likes short letters and long deadlines."


def play_all(at: datetime) -> tuple[User, Staff, dict[str, Story]]:
    """Tell every plot as it stands at `at`, in an empty database: the administrator, staff, and the stories by name.

    Afterwards nothing is due at `at`.
    """
    with clock.at(at - BEFORE_ALL):
        admin = User.objects.create_superuser("admin@bench.example", name="Administrator")
        support = _member("Support")
        finance = _member("Finance")
        usual = Terms.objects.in_force()
        catalog.publish_terms(by=admin, price_limits=usual.price_limits, note="In force before the first order")
    staff = Staff(support, finance)
    stories = {}
    for number, plot in enumerate(PLOTS):
        story = _set_the_stage(number, plot, staff, at)
        plot.tell(story)
        payments.services.issue_documents(story.present)
        assert story.present <= at, plot.name
        stories[plot.name] = story
    with clock.at(at):
        do_what_is_due()
    return admin, staff, stories


def _member(group: str) -> User:
    person = User.objects.create_user(f"{group.lower()}@bench.example", name=f"{group} Agent", is_staff=True)
    person.groups.add(Group.objects.get(name=group))
    return person


def _set_the_stage(number: int, plot: Plot, staff: Staff, at: datetime) -> Story:
    with clock.at(at - BEFORE_ALL):
        buyer, seller = (
            User.objects.create_user(f"{role}-{number}@bench.example", name=f"{role.title()} {number}", about=ABOUT)
            for role in ("buyer", "seller")
        )
        gig = _gig(number, plot, seller)
    return Story(plot, gig, buyer, staff, at - plot.begins)


def _gig(number: int, plot: Plot, seller: User) -> Gig:
    plan = [
        PlannedMilestone(f"Step {step} of {plot.steps}", ABOUT, 6_000 + 1_500 * step + 250 * number, 3 + step, 2)
        for step in range(1, plot.steps + 1)
    ]
    gig = catalog.create_gig(
        seller,
        title=f"Something made in {plot.steps} steps, as it goes with “{plot.name}”",
        category=Category.objects.order_by("position")[number % Category.objects.count()],
        description=ABOUT,
        currency="USD",
        plan=plan,
    )
    return catalog.publish(gig, by=seller)
