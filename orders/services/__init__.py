"""The verbs of an order: one public function each, named after its button."""

from orders.services.agreed import (
    add_revisions,
    change_upcoming,
    extend_delivery,
    planned,
    why_not_upcoming,
)
from orders.services.endings import (
    cancel_charged_back,
    cancel_milestone,
    cancel_order,
    complete_milestone,
    refund_part,
    why_not_part,
)
from orders.services.files import attach, forget_lost_files, withhold_file
from orders.services.lapses import settle, settle_due
from orders.services.messages import send_message
from orders.services.offers import ask_offer, decline_offer, edit_offer, order_again, send_offer, withdraw_offer
from orders.services.paying import abandon, collect, order_gig, pay, place, record_charge, settle_charges, start
from orders.services.previews import draw_owed_previews, draw_previews
from orders.services.reading import mark_read
from orders.services.refunds import tell_credited_refunds, tell_refused_refunds
from orders.services.reminders import if_nobody_acts, send_reminders
from orders.services.stopping import freeze, resume, stop
from orders.services.verbs import verb
from orders.services.working import (
    accept,
    accept_and_continue,
    deliver,
    grant_revisions,
    request_revision,
)

__all__ = [
    "abandon",
    "accept",
    "accept_and_continue",
    "add_revisions",
    "ask_offer",
    "attach",
    "cancel_charged_back",
    "cancel_milestone",
    "cancel_order",
    "change_upcoming",
    "collect",
    "complete_milestone",
    "decline_offer",
    "deliver",
    "draw_owed_previews",
    "draw_previews",
    "edit_offer",
    "extend_delivery",
    "forget_lost_files",
    "freeze",
    "grant_revisions",
    "if_nobody_acts",
    "mark_read",
    "order_again",
    "order_gig",
    "pay",
    "place",
    "planned",
    "record_charge",
    "refund_part",
    "request_revision",
    "resume",
    "send_message",
    "send_offer",
    "send_reminders",
    "settle",
    "settle_charges",
    "settle_due",
    "start",
    "stop",
    "tell_credited_refunds",
    "tell_refused_refunds",
    "verb",
    "why_not_part",
    "why_not_upcoming",
    "withdraw_offer",
    "withhold_file",
]
