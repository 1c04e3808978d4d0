"""How orders go, and how many go so: most have ended, a few are under way, and queues are short."""

from datetime import timedelta

from marketplace.catalog.plans import PlannedMilestone
from resolution.models import Asked

from .story import Plot, Story

LATER = (PlannedMilestone("Larger last step", "With everything that we talked about.", 9_000, 6, 1),)


def days(number: float) -> timedelta:
    return timedelta(days=number)


# What has ended.


def expired(story: Story) -> None:
    story.offer().wait(days=15).sweep()


def declined(story: Story) -> None:
    story.offer().wait(days=1).decline_offer()


def withdrawn(story: Story) -> None:
    story.offer().wait(days=2).withdraw_offer()


def unpaid(story: Story) -> None:
    story.place("card_declined").wait(days=3).sweep()


def one_step(story: Story) -> None:
    story.place().step()


def offered_step(story: Story) -> None:
    story.offer().wait(days=1).take_offer().step()


def reviewed(story: Story) -> None:
    story.place().step().wait(days=1).review(5, 5)


def reviewed_by_buyer(story: Story) -> None:
    story.place().step().wait(days=1).review(4).wait(days=15).sweep()


def liked_less(story: Story) -> None:
    story.place().step().wait(days=1).review(2, 3)


def lapsed(story: Story) -> None:
    story.place().wait(days=2).deliver().wait(days=9).sweep()


def lapsed_in_the_middle(story: Story) -> None:
    story.place().wait(days=2).deliver().wait(days=9).sweep()


def stopped(story: Story) -> None:
    story.place().step().wait(days=1).stop()


def two_steps(story: Story) -> None:
    story.place().step().start().step()


def three_steps(story: Story) -> None:
    story.place().talk().wait(days=2).deliver().wait(days=1).revise().step()
    story.start().step().start().step().wait(days=1).review(5, 4)


def six_steps(story: Story) -> None:
    story.place().talk().step()
    for _ in range(5):
        story.start().step()


def paid_out(story: Story) -> None:
    story.place().step().request_withdrawal().wait(days=1).approve_withdrawal().sweep()


def canceled_by_agreement(story: Story) -> None:
    story.place().wait(days=2).open_case("cancel_order", "agreed_by_both").wait(hours=5).accept_case()


def partly_refunded(story: Story) -> None:
    story.place().wait(days=2).deliver().wait(days=1)
    story.open_case("partial_refund", "scope_disagreement", asked=Asked(amount=2_000)).wait(hours=9).accept_case()
    story.wait(days=1).accept()


def split(story: Story) -> None:
    story.place().wait(days=2).deliver().wait(days=1).open_case("cancel_milestone", "not_as_described")
    story.wait(days=1).decline_case().wait(hours=6).escalate().wait(days=2).rule("split", price=3_000)


def split_as_credit(story: Story) -> None:
    """What came back as credit pays a part of the next milestone."""
    story.place().wait(days=2).deliver().wait(days=1).open_case("cancel_milestone", "unusable_files")
    story.wait(days=3).sweep().rule("split", price=3_000, as_credit=True)
    story.wait(hours=8).start(use_credit=True).step()


def canceled_by_support(story: Story) -> None:
    story.place().wait(days=2).open_case("cancel_order", "fraud_or_abuse").wait(days=1).decline_case()
    story.wait(hours=6).escalate().wait(days=2).rule("cancel_order")


def dismissed(story: Story) -> None:
    story.place().wait(days=2).deliver().wait(days=1).open_case("cancel_milestone", "not_as_described")
    story.wait(days=1).decline_case().wait(hours=6).escalate().wait(days=2).dismiss().wait(hours=3).accept()


def case_declined(story: Story) -> None:
    story.place().wait(days=2).deliver().wait(days=1).open_case("cancel_milestone", "not_as_described")
    story.wait(days=1).decline_case().wait(hours=6).accept()


def case_withdrawn(story: Story) -> None:
    story.place().wait(days=2).deliver().wait(days=1).open_case("cancel_milestone", "not_as_described")
    story.wait(hours=3).withdraw_case().accept()


def extended(story: Story) -> None:
    """The first time nobody answers, and that counts as withdrawn; the second time the buyer agrees."""
    story.place().wait(days=1).open_case("extend", "more_time_needed", by=story.seller, asked=Asked(days=3))
    story.wait(hours=49).sweep().open_case("extend", "more_time_needed", by=story.seller, asked=Asked(days=3))
    story.wait(hours=2).accept_case(by=story.buyer).step()


def proposal_void(story: Story) -> None:
    story.place().wait(days=1).open_case("extend", "more_time_needed", by=story.seller, asked=Asked(days=3))
    story.wait(hours=5).deliver().sweep().wait(days=1).accept()


def more_revisions(story: Story) -> None:
    story.place().wait(days=2).deliver().wait(days=1)
    story.open_case("extra_revisions", "more_changes_wanted", asked=Asked(revisions=2)).wait(hours=4).accept_case()
    story.revise().step()


def replanned(story: Story) -> None:
    story.place().wait(days=1).open_case("change_upcoming", "plan_has_changed", asked=Asked(upcoming=LATER))
    story.wait(hours=9).accept_case().step().start().step()


def chargeback_won(story: Story) -> None:
    story.place().step().wait(days=5).charge_back().wait(days=9).decide_chargeback(won=True)


def chargeback_lost(story: Story) -> None:
    story.place().wait(days=1).charge_back().wait(days=9).decide_chargeback(won=False)


# What is under way.


def offered(story: Story) -> None:
    story.offer()


def payment_failed(story: Story) -> None:
    story.place("card_declined")


def confirming(story: Story) -> None:
    story.place("card_authentication")


def in_progress(story: Story) -> None:
    story.place().talk()


def late(story: Story) -> None:
    story.place().wait(days=4, hours=5).sweep()


def very_late(story: Story) -> None:
    story.place().wait(days=8).sweep()


def delivered(story: Story) -> None:
    story.place().wait(days=2).deliver()


def second_delivered(story: Story) -> None:
    story.place().step().start().wait(days=2).deliver()


def in_revision(story: Story) -> None:
    story.place().wait(days=2).deliver().wait(hours=6).revise()


def between(story: Story) -> None:
    story.place().step()


def disputed(story: Story) -> None:
    story.place().wait(days=2).deliver().wait(hours=1).open_case("cancel_milestone", "not_as_described")


def part_asked(story: Story) -> None:
    story.place().wait(days=2).deliver().wait(hours=1)
    story.open_case("partial_refund", "scope_disagreement", asked=Asked(amount=2_000))


def case_refused(story: Story) -> None:
    """Declined; it may still be taken to support."""
    story.place().wait(days=2).deliver().wait(days=1).open_case("cancel_milestone", "not_as_described")
    story.wait(days=1).decline_case()


def escalated(story: Story) -> None:
    story.place().wait(days=2).deliver().wait(days=1).open_case("cancel_milestone", "not_as_described")
    story.wait(days=1).decline_case().wait(hours=6).escalate()


def unanswered(story: Story) -> None:
    """Silence took it to support."""
    story.place().wait(days=2).deliver().wait(days=1).open_case("cancel_milestone", "unusable_files")
    story.wait(days=2, hours=1).sweep()


def charged_back(story: Story) -> None:
    story.place().wait(days=1).charge_back()


def time_asked(story: Story) -> None:
    story.place().wait(hours=3).open_case("extend", "more_time_needed", by=story.seller, asked=Asked(days=3))


def change_asked(story: Story) -> None:
    story.place().wait(hours=3).open_case("change_upcoming", "plan_has_changed", asked=Asked(upcoming=LATER))


def review_waits(story: Story) -> None:
    story.place().step().wait(hours=3).review(5)


def pay_asked(story: Story) -> None:
    story.place().step().request_withdrawal()


def almost_due(story: Story) -> None:
    """Delivered, and half an hour before the end of the window; both reminders have been sent."""
    story.place().wait(days=1).deliver().wait(days=6, hours=1).sweep().wait(hours=36).sweep()


DUE = Plot("almost due", almost_due, 0, days(9) - timedelta(minutes=30), steps=3)
PLOTS = (
    Plot("expired offer", expired, 900, days(40)),
    Plot("declined offer", declined, 700, days(40)),
    Plot("withdrawn offer", withdrawn, 300, days(40), steps=2),
    Plot("unpaid", unpaid, 600, days(40), steps=2),
    Plot("one step", one_step, 2_800, days(40)),
    Plot("one step by offer", offered_step, 500, days(40)),
    Plot("reviewed", reviewed, 700, days(40)),
    Plot("reviewed by the buyer", reviewed_by_buyer, 450, days(40)),
    Plot("liked less", liked_less, 50, days(40)),
    Plot("lapsed", lapsed, 700, days(40)),
    Plot("lapsed in the middle", lapsed_in_the_middle, 200, days(40), steps=3),
    Plot("stopped", stopped, 300, days(40), steps=2),
    Plot("two steps", two_steps, 450, days(40), steps=2),
    Plot("three steps", three_steps, 120, days(60), steps=3),
    Plot("six steps", six_steps, 30, days(90), steps=6),
    Plot("paid out", paid_out, 200, days(40)),
    Plot("canceled by agreement", canceled_by_agreement, 80, days(40), steps=2),
    Plot("partly refunded", partly_refunded, 50, days(40)),
    Plot("split by support", split, 30, days(40)),
    Plot("split as credit", split_as_credit, 10, days(60), steps=2),
    Plot("canceled by support", canceled_by_support, 20, days(40)),
    Plot("dismissed", dismissed, 20, days(40)),
    Plot("case declined", case_declined, 30, days(40)),
    Plot("case withdrawn", case_withdrawn, 30, days(40)),
    Plot("extended", extended, 30, days(40)),
    Plot("void proposal", proposal_void, 15, days(40)),
    Plot("more revisions", more_revisions, 15, days(40)),
    Plot("replanned", replanned, 10, days(60), steps=2),
    Plot("chargeback won", chargeback_won, 5, days(60)),
    Plot("chargeback lost", chargeback_lost, 5, days(60)),
    Plot("offered", offered, 80, days(1)),
    Plot("payment failed", payment_failed, 20, timedelta(hours=2)),
    Plot("confirming", confirming, 2, timedelta(seconds=5), most=20, slack=timedelta(minutes=2)),
    Plot("in progress", in_progress, 200, days(0.5), steps=3),
    Plot("late", late, 30, days(4.3), steps=2),
    Plot("very late", very_late, 10, days(9), most=1_000, slack=days(12)),
    Plot("delivered", delivered, 150, days(2.1), steps=3),
    Plot("second delivered", second_delivered, 60, days(5.1), steps=3),
    Plot("in revision", in_revision, 40, days(2.4), steps=3),
    Plot("between", between, 50, days(3.1), steps=3),
    Plot("disputed", disputed, 8, days(2.1), steps=3, most=150),
    Plot("part asked for", part_asked, 4, days(2.1), most=50),
    Plot("case refused", case_refused, 4, days(4.1), most=100),
    Plot("escalated", escalated, 8, days(4.3), steps=3, most=200),
    Plot("unanswered", unanswered, 4, days(5.1), most=80),
    Plot("charged back", charged_back, 2, days(1.1), most=20),
    Plot("time asked for", time_asked, 6, timedelta(hours=4), most=500),
    Plot("change asked for", change_asked, 3, timedelta(hours=4), steps=2, most=200),
    Plot("review waits", review_waits, 60, days(3.2)),
    Plot("withdrawal asked for", pay_asked, 0, days(3.1)),
    DUE,
)
