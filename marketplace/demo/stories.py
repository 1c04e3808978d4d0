"""Orders in every state, each with its story. Times are counted back from now."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import resolution.services as cases
from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog.models import Gig, Terms
from marketplace.catalog.plans import PlannedMilestone
from marketplace.catalog.services import publish_terms
from marketplace.demo import pictures
from marketplace.demo.people import Cast
from orders import services
from orders.models import Milestone, Order
from orders.models.order import new_number
from resolution.models import Asked, Case, Reason

WATCH = timedelta(minutes=5)


class Story:
    """An order that is told step by step; each step happens `days` and `hours` before now."""

    def __init__(self, now: datetime, buyer: User) -> None:
        self.now = now
        self.buyer = buyer
        self.order: Order
        self.case: Case

    def do(self, step: Callable[[], object], *, days: float = 0, hours: float = 0) -> "Story":
        with clock.at(self.now - timedelta(days=days, hours=hours)):
            step()
        return self

    def _milestone(self) -> Milestone:
        order = Order.objects.whole().get(pk=self.order.pk)
        milestone = order.current or order.next_milestone
        assert milestone
        return milestone

    def place(self, gig: Gig, brief: str, method: str = "card_ok") -> None:
        gig.refresh_from_db()
        self.order = services.order_gig(
            gig,
            by=self.buyer,
            brief=brief,
            method=method,
            gig_version=gig.version,
            terms_id=Terms.objects.in_force().pk,
            number=new_number(),
        )

    def deliver(self, message: str, *frames: int) -> None:
        files = [pictures.frame(number) for number in frames] or [pictures.text("notes.txt", message)]
        services.deliver(self._milestone(), by=self.order.seller, message=message, files=files)

    def accept(self) -> None:
        services.accept(self._milestone(), by=self.buyer)

    def start(self, method: str = "card_ok") -> None:
        services.start(self._milestone(), by=self.buyer, method=method)

    def revise(self, text: str) -> None:
        services.request_revision(self._milestone(), by=self.buyer, text=text)

    def stop(self) -> None:
        services.stop(self.order, by=self.buyer)

    def say(self, by: User, text: str) -> None:
        services.send_message(self.order, by=by, text=text)

    def lapse(self) -> None:
        services.settle(self.order.pk)

    def open_case(
        self, reason: str, statement: str, kind: str = "cancel_milestone", *, by: User | None = None, **asked: int
    ) -> None:
        self.case = cases.open_case(
            self.order,
            by=by or self.buyer,
            kind=kind,
            reason=Reason.objects.get(code=reason),
            statement=statement,
            asked=Asked(**asked),
        )


def tell(cast: Cast, now: datetime) -> None:
    """Tell every story. The order of the stories is the order of the lists, from old to new."""
    theo, mia, ravi, lea = (cast.gigs[name] for name in ("theo", "mia", "ravi", "lea"))
    ana, ben = cast["ana"], cast["ben"]

    finished = Story(now, ben)
    finished.do(lambda: finished.place(mia, "A logo for a bakery: warm, no wheat ears please."), days=60)
    finished.do(lambda: finished.deliver("Three directions. The second one is my favorite.", 1, 2, 3), days=57)
    finished.do(finished.accept, days=56).do(finished.start, days=56)
    finished.do(lambda: finished.deliver("Refined, for light and dark.", 2), days=52)
    finished.do(finished.accept, days=51).do(finished.start, days=51)
    finished.do(lambda: finished.deliver("All files and the guide."), days=49).do(finished.accept, days=48)

    stopped = Story(now, ana)
    stopped.do(lambda: stopped.place(ravi, "A shop window for the honey farm, nothing more."), days=40)
    stopped.do(lambda: stopped.deliver("Home page and one inner page.", 1), days=35)
    stopped.do(stopped.accept, days=34).do(stopped.stop, days=33)

    lapsed = Story(now, ben)
    lapsed.do(lambda: lapsed.place(lea, "Six animals that bake."), days=30)
    lapsed.do(lambda: lapsed.deliver("All six characters in three poses.", 3), days=24).do(lapsed.lapse, days=15)

    unpaid = Story(now, ben)
    unpaid.do(lambda: unpaid.place(ravi, "A website for the bakery.", "card_declined"), days=12)
    unpaid.do(unpaid.lapse, days=10)

    about_to_lapse = Story(now, ana)
    about_to_lapse.do(lambda: about_to_lapse.place(theo, "Sixty seconds about where honey comes from."), days=19)
    about_to_lapse.do(lambda: about_to_lapse.say(ana, "The farm’s colors are in the attached sheet."), days=19)
    about_to_lapse.do(lambda: about_to_lapse.deliver("Script, 180 words, read aloud in 72 seconds."), days=16)
    about_to_lapse.do(about_to_lapse.accept, days=15).do(about_to_lapse.start, days=15)
    about_to_lapse.do(lambda: about_to_lapse.deliver("Storyboard, 12 frames.", 1, 2), days=12)
    about_to_lapse.do(lambda: about_to_lapse.revise("Frames 4–6 show the old logo."), days=11)
    about_to_lapse.do(lambda: about_to_lapse.deliver("With the new logo everywhere.", 3, 4), days=7, hours=19)

    in_work = Story(now, ana)
    in_work.do(lambda: in_work.place(mia, "A mark for honey jars, readable at 2 cm."), days=2)
    in_work.do(lambda: in_work.say(cast["mia"], "Is there text around the mark, or the mark alone?"), days=1)
    in_work.do(lambda: in_work.say(ana, "The mark alone, please."), hours=20)

    late = Story(now, ben)
    late.do(lambda: late.place(theo, "How our sourdough is made."), days=4, hours=9)

    very_late = Story(now, ana)
    very_late.do(lambda: very_late.place(lea, "A bear that keeps bees."), days=9)

    revising = Story(now, ben)
    revising.do(lambda: revising.place(lea, "A baker and a fox."), days=6)
    revising.do(lambda: revising.deliver("Both characters, three poses each.", 2), days=2)
    revising.do(lambda: revising.revise("The fox looks like a cat. Pointed nose, please."), days=1)

    disputed = Story(now, ana)
    disputed.do(lambda: disputed.place(ravi, "A second site, for the bakery next door."), days=8)
    disputed.do(lambda: disputed.deliver("Design of two pages.", 1), days=2)
    disputed.do(
        lambda: disputed.open_case("not_as_described", "The plan says desktop and phone; only desktop was delivered."),
        hours=30,
    )

    between = Story(now, ben)
    between.do(lambda: between.place(mia, "A second logo, for the café."), days=5)
    between.do(lambda: between.deliver("Three directions.", 1, 2), days=2).do(between.accept, days=1)

    declined = Story(now, ana)
    declined.do(lambda: declined.place(ravi, "Only the design, to begin with.", "card_declined"), hours=2)

    confirming = Story(now, ben)
    confirming.do(lambda: confirming.place(theo, "A second video.", "card_authentication"), hours=1)

    with clock.at(now - timedelta(days=1)):
        _custom_offer(cast, mia)
    _watch(cast, theo, now)


def _custom_offer(cast: Cast, gig: Gig) -> None:
    request = services.ask_offer(
        by=cast["ana"], seller=gig.seller, text="Could you also do labels for three sizes of jar?", gig=gig
    )
    services.ask_offer(by=cast["ben"], seller=gig.seller, text="Paper bags with my logo, two sizes.", gig=gig)
    services.send_offer(
        by=gig.seller,
        buyer=cast["ana"],
        title="Labels for three sizes of jar",
        brief="As discussed: the mark from the logo order, on cream paper.",
        currency="USD",
        plan=[
            PlannedMilestone("Label for the large jar", "Print-ready PDF.", 9_000, 4, 1),
            PlannedMilestone("Medium and small jar", "The same design, fitted.", 6_500, 3, 1),
        ],
        gig=gig,
        request=request,
    )


def _watch(cast: Cast, gig: Gig, now: datetime) -> None:
    """One order under terms with a window of minutes, so that a newcomer can watch it lapse."""
    usual = Terms.objects.in_force()
    limits = usual.price_limits
    publish_terms(by=cast.admin, price_limits=limits, review=WATCH, note="Demo: a review window of five minutes")
    watched = Story(now, cast["ana"])
    watched.do(partial(watched.place, gig, "Watch this order: nobody answers, and the clock completes it."))
    watched.do(lambda: watched.deliver("Script. Do nothing, and see what happens.", 1))
    publish_terms(by=cast.admin, price_limits=limits, note="The usual terms")
