"""Who is there when a run begins, and what the clock will owe while it lasts."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password

import resolution.services as cases
from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.services import confirm_email
from marketplace.catalog import services as catalog
from marketplace.catalog.models import Category, Gig, Terms
from marketplace.catalog.plans import PlannedMilestone
from marketplace.chaos.people import PASSWORD
from orders import services
from orders.models import Milestone, Order
from resolution.models import Reason

BUYERS, SELLERS = 5, 3
EARNED = 200_000  # cents that each seller has been paid for, to withdraw from
PLAN = [PlannedMilestone(title, "", price, 3, 2) for title, price in (("Draft", 4_000), ("Final", 9_050))]
# What the clock ends, with how long it waited for somebody.
STORIES = ("delivered", "delivered", "delivered", "offered", "unpaid", "case")


@dataclass(frozen=True)
class Cast:
    buyers: list[User]
    sellers: list[User]
    finance: User
    gigs: list[Gig]
    due: int


def set_up(now: datetime, seed: int, seconds: float) -> Cast:
    """Make the people and their gigs, and orders whose time runs out at instants spread over the next `seconds`.

    They come to be by the services, at the instants at which they would have: no row is set by hand.
    """
    rng = random.Random(f"{seed} due")  # noqa: S311
    terms = Terms.objects.in_force()
    with clock.at(now - timedelta(days=60)):
        hashed = make_password(PASSWORD)
        buyers = [_person(f"buyer-{number}", hashed) for number in range(BUYERS)]
        sellers = [_person(f"seller-{number}", hashed) for number in range(SELLERS)]
        finance = _person("finance", hashed)
        gigs = [_gig(seller) for seller in sellers]
        for seller in sellers:
            _earn(seller, buyers[0])
    due = max(6, int(seconds / 4))
    for number in range(due):
        at = now + timedelta(seconds=rng.uniform(5, max(seconds, 10)))
        seller = rng.choice(sellers)
        _tell(STORIES[number % len(STORIES)], at, rng.choice(buyers), seller, terms)
    return Cast(buyers, sellers, finance, gigs, due)


def _person(name: str, hashed: str) -> User:
    person = User.objects.create_user(f"{name}@example.com", None, name=name)
    User.objects.filter(pk=person.pk).update(password=hashed)
    confirm_email(person)
    return person


def _gig(seller: User) -> Gig:
    gig = catalog.create_gig(
        seller,
        title=f"A thing by {seller.name}",
        category=Category.objects.order_by("pk")[0],
        description="Made while everything around it breaks.",
        currency="USD",
        plan=PLAN,
    )
    return catalog.publish(gig, by=seller)


def _earn(seller: User, buyer: User) -> None:
    plan = [PlannedMilestone("Long ago", "", EARNED, 3, 2)]
    order = services.send_offer(by=seller, buyer=buyer, title="The first", brief="", currency="USD", plan=plan)
    services.place(order, by=buyer, method="card_ok")
    services.deliver(_current(order), by=seller, message="Here it is.", files=[])
    services.accept(_current(order), by=buyer)


def _tell(story: str, at: datetime, buyer: User, seller: User, terms: Terms) -> None:
    """An order that the clock will act on at `at`."""
    waited = {"delivered": terms.review, "offered": terms.offer, "unpaid": terms.payment, "case": terms.answer}[story]
    begun = at - waited
    with clock.at(begun if story in ("offered", "unpaid") else begun - timedelta(hours=5)):
        order = services.send_offer(by=seller, buyer=buyer, title=f"To be {story}", brief="", currency="USD", plan=PLAN)
        if story != "offered":
            services.place(order, by=buyer, method="card_declined" if story == "unpaid" else "card_ok")
    with clock.at(begun):
        if story == "delivered":
            services.deliver(_current(order), by=seller, message="Here it is.", files=[])
        elif story == "case":
            cases.open_case(
                order,
                by=buyer,
                kind="cancel_milestone",
                reason=Reason.objects.get(code="agreed_by_both"),
                statement="It will not be answered.",
            )


def _current(order: Order) -> Milestone:
    milestone = Order.objects.whole().get(pk=order.pk).current
    assert milestone
    return milestone
