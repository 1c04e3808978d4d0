"""Orders whose sides disagree, or propose a change: something of every kind for the queue of support."""

from datetime import datetime

import resolution.services as cases
from marketplace.demo.people import Cast
from marketplace.demo.stories import Story
from resolution.models import Case, Reason


def tell(cast: Cast, now: datetime) -> None:
    """Tell the stories, from old to new; the last three wait for support or for an answer."""
    theo, mia, ravi, lea = (cast.gigs[name] for name in ("theo", "mia", "ravi", "lea"))
    ana, ben = cast["ana"], cast["ben"]

    split = Story(now, ben)
    split.do(lambda: split.place(lea, "A fox that sells bread."), days=44)
    split.do(lambda: split.deliver("The fox, in two of three poses.", 2), days=38)
    split.do(lambda: split.open_case("not_as_described", "Three poses were promised; two came."), days=37)
    split.do(lambda: cases.decline_case(split.case, by=lea.seller, text="The third was never asked for."), days=36)
    split.do(
        lambda: cases.escalate_case(split.case, by=ben, text="The plan says three poses, in its first line."), days=36
    )
    split.do(lambda: _rule(cast, split.case), days=34)

    waits_long = Story(now, ana)
    waits_long.do(lambda: waits_long.place(theo, "Ninety seconds about queen bees."), days=12)
    waits_long.do(lambda: waits_long.deliver("Script, 140 words.", 1), days=9)
    waits_long.do(
        lambda: waits_long.open_case("not_as_described", "This is a script for sixty seconds, not ninety."), days=8
    )
    waits_long.do(lambda: cases.decline_case(waits_long.case, by=theo.seller, text="It is read slowly."), days=7)
    waits_long.do(lambda: cases.escalate_case(waits_long.case, by=ana, text="Read aloud it takes 58 seconds."), days=4)
    waits_long.do(
        lambda: cases.write_in_case(waits_long.case, by=theo.seller, text="I can add thirty seconds by Friday."), days=3
    )

    partial_refund = Story(now, ben)
    partial_refund.do(lambda: partial_refund.place(mia, "A stamp for paper bags."), days=9)
    partial_refund.do(lambda: partial_refund.deliver("Two directions instead of three.", 1, 2), days=5)
    partial_refund.do(
        lambda: partial_refund.open_case(
            "scope_disagreement", "One direction is missing: a third of the price.", "partial_refund", amount=2_000
        ),
        days=4,
    )
    partial_refund.do(lambda: cases.settle_case(partial_refund.case.pk), days=2)

    more_time = Story(now, ana)
    more_time.do(lambda: more_time.place(ravi, "Opening hours and a map, in two languages."), days=3)
    more_time.do(
        lambda: more_time.open_case(
            "more_time_needed", "The map service needs an account first.", "extend", by=ravi.seller, days=3
        ),
        hours=5,
    )


def _rule(cast: Cast, case: Case) -> None:
    cases.rule(
        case,
        cases.Decision(Case.Ruling.SPLIT, price=3_000),
        by=cast.support,
        reason=Reason.objects.get(code="not_as_described"),
        note="Two of the three promised poses were delivered, and they are good. A third of the price goes back.",
    )
    cases.note_for_support(case.order, by=cast.support, text="Both were polite. Asked once before.", case=case)
