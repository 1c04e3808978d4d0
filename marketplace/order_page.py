"""What the order page shows: what is next, who must act by when, the track, the activity, and every cent (P2)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrOrPromise

from marketplace.accounts.models import User
from marketplace.order_activity import Asked, activity_of
from marketplace.order_headline import headline
from marketplace.order_lists import case_waits_for, standing
from marketplace.order_live import State
from marketplace.order_money import charged_later, of_credit, parts_of, refund_in_words
from marketplace.order_reading import Facts, handed_over
from marketplace.order_talk import talk_of
from marketplace.order_track import revisions_left, track
from marketplace.reviews.rules import review_action
from orders.actions import Action, actions
from orders.forms import DeliverForm, GrantForm, MessageForm, RevisionForm, VersionedForm
from orders.models import Milestone, Order
from orders.rehearsal import REHEARSED
from payments.money import display
from resolution.actions import OPENING, case_actions, cases_of, open_action, present_among, url_of, waiting_proposal
from resolution.models import Case
from resolution.sides import side_for
from resolution.words import silence_in_words

# Actions that fit into a panel on the page; the others have a page of their own.
PANELS: dict[str, type[forms.Form]] = {
    "accept": VersionedForm,
    "request_revision": RevisionForm,
    "deliver": DeliverForm,
    "grant_revisions": GrantForm,
    "abandon": VersionedForm,
    "decline": VersionedForm,
    "withdraw": VersionedForm,
    "stop": VersionedForm,
}
DANGER = ("stop", "decline", "withdraw")
_CHARGING = {
    "accept": gettext_lazy("Accept only"),
    "start": gettext_lazy("Start “{milestone}” · pay {amount}"),
    "place": gettext_lazy("Accept the offer · pay {amount}"),
    "pay": gettext_lazy("Pay {amount}"),
    "accept_and_continue": gettext_lazy("Accept and continue · pay {amount}"),
}
PRIMARY = ("place", "pay", "accept_and_continue", "start", "deliver", "accept")


@dataclass(frozen=True)
class Button:
    """An action that is allowed now: a link to its page, or a panel with its form.

    What a `rehearsed` one would do is asked for when its panel is opened: the real code runs for that (R7).
    """

    action: Action
    label: StrOrPromise
    primary: bool
    danger: bool
    form: forms.Form | None = None
    rehearsed: bool = False


def order_context(
    order: Order,
    facts: Facts,
    viewer: User,
    now: datetime,
    asked: Asked,
    *,
    seen: State | None = None,
    whole_talk: bool = False,
) -> dict[str, Any]:
    """Everything the page shows to one of the order's sides, from a constant number of queries.

    With `seen`, the state that a page shows already, what came since is marked as new.
    """
    side = order.side_of(viewer)
    found = actions(order, side, now)
    cases = cases_of(order, now)
    present = present_among(cases)
    in_cases = _case_actions(order, present, side, now)
    stop = _why_not_stop(order, found)
    review = review_action(order, viewer, now)
    pending, proposal = next((case for case in present if case.freezes), None), waiting_proposal(present)
    messages, deliveries = handed_over(order)
    talk = talk_of(order, viewer, messages, facts.marks, whole=whole_talk)
    at_hand = order.current
    delivered = sum(delivery.milestone_id == at_hand.pk for delivery in deliveries) if at_hand else 0
    return {
        "state": facts.state,
        "whole_talk": whole_talk,
        "order": order,
        "side": side,
        "section": "/orders/" if side == "buyer" else "/sales/",
        "other": order.seller if side == "buyer" else order.buyer,
        "standing": standing(order, side, now, pending, proposal),
        "headline": headline(order, side, now, pending, delivered=delivered),
        "buttons": _buttons(order, found),
        "again": _again(order, side, found, facts.gig_on_sale),
        "stop": stop,
        "blocked": [action for action in [*found, *in_cases, review] if not action.allowed and action is not stop],
        "cases": cases,
        "proposal": proposal,
        "proposal_silence": silence_in_words(proposal) if proposal else "",
        "case_to_answer": pending if pending and case_waits_for(pending) == side else None,
        "possible_cases": [action for action in in_cases if action.allowed and action.name in OPENING],
        "cancel_now": _cancel_now(order, side, now),
        "track": track(order, deliveries, facts.refunds, now),
        "revisions": revisions_left(order),
        "parts": parts_of(order, facts.cents, side, facts.refunds),
        "of_credit": of_credit(order, facts.cents),
        "refund_lines": [refund_in_words(refund, order.currency) for refund in facts.refunds],
        "documents": facts.documents if side == "buyer" else [],
        "buyer_stars": facts.buyer_stars,
        "rules": order.terms.sentences(viewer="buyer" if side == "buyer" else "seller"),
        "activity": activity_of(order, viewer, asked, seen=seen.event if seen else None),
        "talk": talk,
        "message_form": MessageForm(initial={"seen": talk.mine}),
        "revise_url": next(
            (action.url for action in found if action.name == "request_revision" and action.allowed), ""
        ),
        "later": charged_later(order),
    }


def _again(order: Order, side: str, found: list[Action], gig_on_sale: str) -> str:
    """Where the buyer of an ended order orders again: what was not started (O9), else the gig anew while it is sold."""
    if side != "buyer" or not order.has_ended:
        return ""
    action = next(action for action in found if action.name == "order_again")
    if action.allowed:
        return action.url
    return reverse("orders:order_gig", args=[gig_on_sale]) if gig_on_sale else ""


def _cancel_now(order: Order, side: str, now: datetime) -> str:
    """Where the buyer of a very late milestone cancels it on the spot (O15); empty for everybody else."""
    very_late = side == "buyer" and any(step.is_very_late(now) for step in order.plan) and not order.paused_at
    return url_of(order, Case.Kind.CANCEL_MILESTONE) if very_late else ""


def _case_actions(order: Order, present: list[Case], side: str, now: datetime) -> list[Action]:
    """Which cases this side could open, and its own buttons of the present dispute and the present proposal."""
    found = [open_action(order, kind, side, now) for kind in OPENING]
    for case in present:
        named = _("Case {case}: {action}") if case.is_dispute else _("Proposal {case}: {action}")
        own = [action for action in case_actions(case, side, now) if side_for(case, action.name) == side]
        found += [replace(action, label=named.format(case=case.number, action=action.label)) for action in own]
    return found


def _buttons(order: Order, found: list[Action]) -> list[Button]:
    # Ordering again has a place of its own, at the end of an order.
    allowed = [action for action in found if action.allowed and action.name != "order_again"]
    allowed.sort(key=lambda action: PRIMARY.index(action.name) if action.name in PRIMARY else len(PRIMARY))
    buttons = _confirmation(order) if any(action.name == "abandon" for action in allowed) else []
    waits = order.current is not None and order.current.status == Milestone.Status.DELIVERED
    for number, action in enumerate(allowed):
        form_class = PANELS.get(action.name)
        form = form_class(initial={"version": order.version}, auto_id=f"id_{action.name}_%s") if form_class else None
        buttons.append(
            Button(
                action=action,
                label=_label(order, action),
                primary=number == 0 and action.name in PRIMARY and not (action.name == "deliver" and waits),
                danger=action.name in DANGER,
                form=form,
                rehearsed=action.name in REHEARSED and form is not None,
            )
        )
    return buttons


def _confirmation(order: Order) -> list[Button]:
    """The way back to the bank's page for a buyer who left it before answering (O4)."""
    charge = order.current.undecided_charge if order.current else None
    if charge is None or not charge.action_url:
        return []
    label = _("Confirm the payment of {amount}").format(amount=display(charge.amount, order.currency))
    return [Button(Action("confirm", label, charge.action_url, allowed=True), label, True, False)]


def _why_not_stop(order: Order, found: list[Action]) -> Action | None:
    """Stopping is what a buyer looks for while a milestone is open: why not yet stands beside the buttons."""
    if order.status != Order.Status.ACTIVE or order.paused_at:
        return None
    return next((action for action in found if action.name == "stop" and not action.allowed), None)


def _label(order: Order, action: Action) -> StrOrPromise:
    """Buttons that charge say how much."""
    following = order.next_milestone
    charged = order.current if action.name == "pay" else following
    if charged is None:
        return action.label
    if action.name not in _CHARGING:
        return action.label
    return str(_CHARGING[action.name]).format(milestone=charged.title, amount=display(charged.total, order.currency))
