"""The verbs behind the buttons, by the buttons' names: order, milestone and payment method in, anything out."""

from collections.abc import Callable
from typing import Any

from orders import services
from orders.tests.factories import THREE_STEPS, fresh

SERVICES: dict[str, Callable[..., Any]] = {
    "place": lambda o, _, method="card_ok": services.place(o, by=o.buyer, method=method),
    "decline": lambda o, _, method="card_ok": services.decline_offer(o, by=o.buyer),
    "pay": lambda o, m, method="card_ok": services.pay(m, by=o.buyer, method=method),
    "abandon": lambda o, m, method="card_ok": services.abandon(m, by=o.buyer),
    "accept": lambda o, m, method="card_ok": services.accept(m, by=o.buyer),
    "accept_and_continue": lambda o, m, method="card_ok": services.accept_and_continue(m, by=o.buyer, method=method),
    "request_revision": lambda o, m, method="card_ok": services.request_revision(m, by=o.buyer, text="Bluer."),
    "start": lambda o, m, method="card_ok": services.start(m, by=o.buyer, method=method),
    "stop": lambda o, _, method="card_ok": services.stop(o, by=o.buyer),
    "order_again": lambda o, _, method="card_ok": services.ask_offer(
        by=o.buyer, seller=o.seller, text="The rest.", again=o
    ),
    "edit_offer": lambda o, _, method="card_ok": services.edit_offer(
        o, by=o.seller, title="Shorter", brief="", plan=THREE_STEPS, version=fresh(o).version
    ),
    "withdraw": lambda o, _, method="card_ok": services.withdraw_offer(o, by=o.seller),
    "deliver": lambda o, m, method="card_ok": services.deliver(m, by=o.seller, message="Here it is."),
    "grant_revisions": lambda o, m, method="card_ok": services.grant_revisions(m, by=o.seller, count=1),
}
