"""Bugs put on purpose into everything but the ledger, which has its own list in `payments/tests/seeded_bugs.py`.

    SEEDED=1 python3 run.py test marketplace/tests/test_seeded_bugs.py

does those of both lists, which takes about half an hour; each is a text replaced in a copy of the source, where the
tests named beside it must fail.
"""

from payments.tests.seeded_bugs import Bug

WORKING = "orders/tests/test_services_working.py"
FREEZING = "orders/tests/test_services_freezing.py"
LAPSES = "orders/tests/test_services_lapses.py"
PAYING = "orders/tests/test_services_paying.py"
STARTING = "orders/tests/test_services_starting.py"
VERSIONS = "orders/tests/test_services_versions.py"
RACES = "marketplace/tests/test_races.py"
WEBHOOKS = "marketplace/tests/test_webhooks.py"
OPENING = "resolution/tests/test_opening.py"
ANSWERING = "resolution/tests/test_answering.py"
RULING = "resolution/tests/test_ruling.py"

BUGS = [
    Bug(
        "the order is read without its lock",
        "orders/locking.py",
        'locked = Order.objects.select_for_update(of=("self",), no_key=True)',
        "locked = Order.objects.all()",
        RACES,
    ),
    Bug(
        "a stale form is taken all the same",
        "orders/locking.py",
        "if version is not None and version != order.version:",
        "if False:",
        VERSIONS,
    ),
    Bug(
        "at the deadline itself the buyer may still act",
        "orders/models/order.py",
        "return self.paused_at is None and self.decide_by is not None and self.decide_by <= now",
        "return self.paused_at is None and self.decide_by is not None and self.decide_by < now",
        LAPSES,
    ),
    Bug(
        "a verb outruns the clock",
        "orders/locking.py",
        "    if order.is_overdue(now):\n        raise Overdue(order_id)\n",
        "",
        LAPSES,
    ),
    Bug(
        "what the clock does late is dated when it was done",
        "orders/services/lapses.py",
        "    lapse(order, at=order.decide_by)\n    return True",
        "    lapse(order, at=now)\n    return True",
        LAPSES,
    ),
    Bug(
        "a revision is not counted",
        "orders/models/milestone.py",
        "        self.revisions_used += 1\n",
        "",
        WORKING,
    ),
    Bug(
        "one revision more than agreed",
        "orders/models/milestone_guards.py",
        "if milestone.revisions_left == 0:",
        "if milestone.revisions_left == -1:",
        WORKING,
    ),
    Bug(
        "delivering again does not restart the window",
        "orders/services/working.py",
        "    order.set_deadline(now, now + order.terms.review)\n    order.save()\n    move(milestone.deliver",
        "    order.set_deadline(now, order.decide_by or now + order.terms.review)\n    order.save()\n"
        "    move(milestone.deliver",
        WORKING,
    ),
    Bug(
        "after a revision the buyer has less than a window to continue",
        "orders/services/working.py",
        "now + order.terms.review)  # no deadline of the buyer was running (O13)",
        "now + order.terms.payment)",
        WORKING,
    ),
    Bug(
        "a pause is not added to the clocks",
        "orders/services/stopping.py",
        "moved = deadline + (at - since)",
        "moved = deadline",
        FREEZING,
    ),
    Bug(
        "the least rest is not given",
        "orders/services/stopping.py",
        "return moved if least_rest is None else max(moved, at + least_rest)",
        "return moved",
        FREEZING,
    ),
    Bug(
        "an order may be stopped while it is frozen",
        "orders/models/order.py",
        "conditions=[is_not_frozen, nothing_is_open, no_attempt_is_undecided],",
        "conditions=[nothing_is_open, no_attempt_is_undecided],",
        FREEZING,
    ),
    Bug(
        "milestones start out of turn",
        "orders/models/milestone_guards.py",
        "if first and first.pk != milestone.pk:",
        "if False:",
        STARTING,
    ),
    Bug(
        "a late success is work to do and not money to give back",
        "orders/services/paying.py",
        "if milestone.status != Milestone.Status.AWAITING_PAYMENT or not _funds(charge, now=now):",
        "if not _funds(charge, now=now):",
        PAYING,
    ),
    Bug(
        "the provider is asked before the commit",
        "orders/services/paying.py",
        "afterwards(collect, charge.pk)",
        "collect(charge.pk)",
        PAYING,
    ),
    Bug(
        "the reconciler takes nothing up",
        "orders/services/paying.py",
        "    for charge_id in left:\n",
        "    for charge_id in left[:0]:\n",
        PAYING,
    ),
    Bug(
        "a second attempt begins while the bank is deciding",
        "orders/models/milestone.py",
        "return charge if charge and not charge.decided else None",
        "return None",
        PAYING,
    ),
    Bug(
        "starting late leaves less than the window to pay",
        "orders/services/paying.py",
        "pay_by = max(order.decide_by or now, now + order.terms.payment)",
        "pay_by = order.decide_by or now + order.terms.payment",
        STARTING,
    ),
    Bug(
        "a deactivated buyer goes on paying",
        "orders/models/order.py",
        "    if not order.buyer.is_active:\n",
        "    if False:\n",
        STARTING,
    ),
    Bug(
        "a checkout sent twice makes two orders",
        "orders/services/paying.py",
        "if again and (again.buyer_id, again.gig_id) == (by.pk, gig.pk):",
        "if False:",
        RACES,
    ),
    Bug(
        "an order with a completed milestone ends as canceled",
        "orders/models/order.py",
        "completed = any(milestone.status == milestone.Status.COMPLETED for milestone in self.plan)",
        "completed = all(milestone.status == milestone.Status.COMPLETED for milestone in self.plan)",
        LAPSES,
    ),
    Bug(
        "an act is not in the activity",
        "orders/activity.py",
        "    writing.write_event(event, partial(_news, event, order, milestone))\n",
        "    if kind != Event.Kind.REVISION_REQUESTED:\n"
        "        writing.write_event(event, partial(_news, event, order, milestone))\n",
        WORKING,
    ),
    Bug(
        "whoever acts is told, and the other side is not",
        "orders/activity.py",
        "if person_id != event.actor_id",
        "if person_id == event.actor_id",
        WORKING,
    ),
    Bug(
        "strangers find an order by its number",
        "orders/views/acting.py",
        "return get_object_or_404(Order.objects.of(request.user).whole(), number=number)",
        "return get_object_or_404(Order.objects.whole(), number=number)",
        "orders/tests/test_table.py",
    ),
    Bug(
        "one side presses the other's buttons",
        "orders/views/acting.py",
        "check_side(order, order.side_of(request.user), button.name)",
        'check_side(order, "buyer" if button.name in ("accept", "stop") else order.side_of(request.user), button.name)',
        "orders/tests/test_table.py",
    ),
    Bug(
        "an event is taken whatever its signature",
        "payments/gateways/sandbox_events.py",
        'if not hmac.compare_digest(sign(raw_body).encode(), signature.encode(errors="replace")):',
        "if False:",
        WEBHOOKS,
    ),
    Bug(
        "an event's currency is ignored",
        "payments/services/events.py",
        "if parsed.currency != operation.currency:",
        "if False:",
        "payments/tests/test_events.py",
    ),
    Bug(
        "an event's amount is ignored",
        "payments/services/events.py",
        "if parsed.amount != asked:",
        "if False:",
        "payments/tests/test_events.py",
    ),
    Bug(
        "a case about what was delivered is agreed to by silence",
        "resolution/models/case.py",
        "        if self.milestone and self.milestone.delivered_at:\n            return self.Silence.TO_SUPPORT\n",
        "",
        "resolution/tests/test_silence.py",
    ),
    Bug(
        "a third dispute about the same milestone",
        "resolution/models/guards.py",
        "for other in about_it) < DISPUTES_PER_SIDE:",
        "for other in about_it) <= DISPUTES_PER_SIDE:",
        OPENING,
    ),
    Bug(
        "a late milestone is canceled at once as if it were very late",
        "orders/models/milestone.py",
        "self.very_late_at is not None and self.very_late_at <= until",
        "self.deliver_by is not None and self.deliver_by <= until",
        OPENING,
    ),
    Bug(
        "a case is opened while a payment is undecided",
        "resolution/models/guards.py",
        "return order_has_no_undecided_attempt.why_not(case.order) if case.is_dispute else None",
        "return None",
        OPENING,
    ),
    Bug(
        "a declined case goes to support whenever one likes",
        "resolution/models/guards.py",
        "if case.escalate_by is None or case.moment >= case.escalate_by:",
        "if case.escalate_by is None:",
        ANSWERING,
    ),
    Bug(
        "an agent rules in their own order",
        "resolution/services/ruling.py",
        "    refuse_party(order, by)\n    if not note.strip():",
        "    if not note.strip():",
        RULING,
    ),
    Bug(
        "a dismissed case leaves the clocks where they would be",
        "resolution/services/outcomes.py",
        "unfreeze(order, by=by, at=at, least_rest=order.terms.least_rest)",
        "unfreeze(order, by=by, at=at)",
        RULING,
    ),
    Bug(
        "support rules while the bank is deciding",
        "orders/models/milestone_guards.py",
        "    if not milestone.order.paused_at or not milestone.bank_is_deciding:\n",
        "    if True:\n",
        "resolution/tests/test_chargebacks.py",
    ),
    Bug(
        "a notice is never mailed",
        "marketplace/notifications/services.py",
        "news.at if by_mail == ByMail.AT_ONCE else None,",
        "None,",
        "marketplace/notifications/tests/test_mail.py marketplace/notifications/tests/test_services.py",
    ),
    Bug(
        "a review can be written when its time is over",
        "marketplace/reviews/rules.py",
        "    if ends <= now:\n",
        "    if False:\n",
        "marketplace/reviews/tests/test_services.py",
    ),
]
