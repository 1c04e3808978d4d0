"""Every button of an order that is a form and a service: for its side's page, and for support's twin of it (R6)."""

from django.utils.translation import gettext_lazy as _

from orders import services
from orders.forms import AskForm, DeliverForm, GrantForm, PayForm, RevisionForm, VersionedForm
from orders.views.acting import Button

_ALL = (
    Button("place", services.place, PayForm, _("You accepted the offer; the first milestone is funded."), pays=True),
    Button("decline", services.decline_offer, VersionedForm, _("You declined the offer."), danger=True),
    Button("start", services.start, PayForm, _("The milestone is funded; the seller can begin."), pays=True),
    Button("pay", services.pay, PayForm, _("The milestone is funded; the seller can begin."), pays=True),
    Button(
        "abandon",
        services.abandon,
        VersionedForm,
        _("That attempt was given up. You can pay with another card now."),
    ),
    Button("accept", services.accept, VersionedForm, _("You accepted the delivery; the seller is paid.")),
    Button(
        "accept_and_continue",
        services.accept_and_continue,
        PayForm,
        _("You accepted the delivery, and the next milestone is funded."),
        pays=True,
    ),
    Button(
        "request_revision",
        services.request_revision,
        RevisionForm,
        _("You asked for a revision. The seller has a new delivery date."),
    ),
    Button(
        "stop", services.stop, VersionedForm, _("You stopped the order. What was delivered stays yours."), danger=True
    ),
    Button(
        "order_again",
        services.order_again,
        AskForm,
        _("You asked the seller for a fresh offer with what was not started."),
    ),
    Button("withdraw", services.withdraw_offer, VersionedForm, _("You withdrew the offer."), danger=True),
    Button("deliver", services.deliver, DeliverForm, _("Delivered. The buyer's review window begins now.")),
    Button("grant_revisions", services.grant_revisions, GrantForm, _("The extra revisions are granted.")),
)

BUTTONS = {button.name: button for button in _ALL}
