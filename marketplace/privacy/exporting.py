"""A person's data as a ZIP: JSON of all that is about them or that they wrote, the talk of their orders, their files.

`PARTS` names the rows of each file, and the relations to a person that it covers; `NOT_EXPORTED` the other relations,
with the reason. A test holds every relation of the data model to one of the two.
"""

import json
import logging
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet
from django.db.models.fields.files import FieldFile
from django.utils.text import get_valid_filename

from marketplace.accounts.models import Session, User
from marketplace.catalog.models import Gig, PlanMilestone
from marketplace.notifications.models import CalendarFeed, Digest, Notice, Preference
from marketplace.reviews.models import Review
from orders.models import Attachment, Delivery, Event, Message, Milestone, OfferRequest, Order, Pause, ReadMark
from payments.models import (
    Account,
    Charge,
    Document,
    HeldFunds,
    PayoutAccount,
    ProviderCustomer,
    Refund,
    SavedCard,
    Transfer,
    Withdrawal,
)
from resolution.models import Case, CaseMessage

# What is nobody's to read, is derived, or is a name of a file in our store.
LEFT_OUT = {
    *("session_key", "session_data", "password", "token", "signed_out_at", "data"),
    *("search", "file", "thumbnail", "preview"),
}
PIECE = 256 * 1024  # bytes of the ZIP that are sent at once, and of a file that are read at once
logger = logging.getLogger(__name__)
Rows = Callable[[User], QuerySet[Any]]


@dataclass(frozen=True)
class Part:
    """One file: its rows, and the relations to a person ("Model.field") that they cover."""

    file: str
    rows: Rows
    covers: tuple[str, ...] = ()
    with_data: bool = False


def _orders(person: User) -> QuerySet[Order]:
    return Order.objects.of(person)


PARTS = (
    Part("account", lambda who: User.objects.filter(pk=who.pk)),
    Part("addresses", lambda who: EmailAddress.objects.filter(user=who), ("EmailAddress.user",)),
    Part("second-factors", lambda who: Authenticator.objects.filter(user=who), ("Authenticator.user",)),
    Part("sessions", lambda who: Session.objects.filter(person=who), ("Session.person",)),
    Part("preferences", lambda who: Preference.objects.filter(person=who), ("Preference.person",)),
    Part("calendar", lambda who: CalendarFeed.objects.filter(owner=who), ("CalendarFeed.owner",)),
    Part("notices", lambda who: Notice.objects.filter(recipient=who), ("Notice.recipient",)),
    Part("digests", lambda who: Digest.objects.filter(recipient=who), ("Digest.recipient",)),
    Part("gigs", lambda who: Gig.objects.filter(seller=who), ("Gig.seller",)),
    Part("plans-of-gigs", lambda who: PlanMilestone.objects.filter(gig__seller=who)),
    Part(
        "offer-requests",
        lambda who: OfferRequest.objects.filter(Q(buyer=who) | Q(seller=who)),
        ("OfferRequest.buyer", "OfferRequest.seller"),
    ),
    Part("orders", _orders, ("Order.buyer", "Order.seller")),
    Part("milestones", lambda who: Milestone.objects.filter(order__in=_orders(who))),
    Part("messages", lambda who: Message.objects.filter(order__in=_orders(who)), ("Message.author",)),
    Part(
        "deliveries",
        lambda who: Delivery.objects.filter(milestone__order__in=_orders(who)),
        ("Delivery.delivered_by",),
    ),
    Part("files", lambda who: Attachment.objects.filter(order__in=_orders(who)), ("Attachment.uploaded_by",)),
    Part("read-marks", lambda who: ReadMark.objects.filter(reader=who), ("ReadMark.reader",)),
    Part(
        "activity",
        # Why the bank declined a payment is the buyer's own affair (P3).
        lambda who: Event.objects.filter(order__in=_orders(who)).exclude(
            kind=Event.Kind.PAYMENT_FAILED, order__seller=who
        ),
        ("Event.actor", "Event.on_behalf_of"),
        with_data=True,
    ),
    Part("pauses", lambda who: Pause.objects.filter(order__in=_orders(who)), ("Pause.started_by",)),
    Part("cases", lambda who: Case.objects.filter(order__in=_orders(who)), ("Case.opened_by", "Case.ended_by")),
    Part(
        "case-messages",
        lambda who: CaseMessage.objects.filter(case__order__in=_orders(who)),
        ("CaseMessage.author",),
    ),
    Part(
        "reviews",
        # About oneself what one may read on the site: not before both sides wrote, and not what support hid.
        lambda who: Review.objects.filter(Q(author=who) | Q(subject=who, counted_at__isnull=False, hidden_at=None)),
        ("Review.author", "Review.subject"),
    ),
    Part(
        "held-funds",
        lambda who: HeldFunds.objects.filter(Q(payer=who) | Q(payee=who)),
        ("HeldFunds.payer", "HeldFunds.payee"),
    ),
    Part("charges", lambda who: Charge.objects.filter(held__payer=who)),
    Part("refunds", lambda who: Refund.objects.filter(held__payer=who)),
    Part("money-accounts", lambda who: Account.objects.filter(owner=who), ("Account.owner",)),
    Part(
        "transfers",
        lambda who: Transfer.objects.filter(Q(source__owner=who) | Q(destination__owner=who) | Q(held__payer=who)),
    ),
    Part("withdrawals", lambda who: Withdrawal.objects.filter(owner=who), ("Withdrawal.owner",)),
    Part("payout-accounts", lambda who: PayoutAccount.objects.filter(owner=who), ("PayoutAccount.owner",)),
    Part("saved-cards", lambda who: SavedCard.objects.filter(owner=who), ("SavedCard.owner",)),
    Part("payment-customers", lambda who: ProviderCustomer.objects.filter(user=who), ("ProviderCustomer.user",)),
    Part("documents", lambda who: Document.objects.filter(recipient=who), ("Document.recipient",)),
)
STAFF = "Says which of the staff did it: a record of work, not of a customer."
NOT_EXPORTED = {
    "Attachment.withheld_by": STAFF,
    "LogEntry.user": STAFF,
    "Review.hidden_by": STAFF,
    "SupportNote.author": STAFF,
    "Terms.published_by": STAFF,
    "Withdrawal.decided_by": STAFF,
    "User.groups": "Rights of staff.",
    "User.user_permissions": "Rights of staff.",
}
README = """These are your data at {site}, as of {at}.

Each file is a list of rows as JSON; amounts are integers in the smallest unit of their currency, times are UTC.
messages, deliveries, files, cases and activity are those of your orders, both sides'. Numbers such as 12 in
author_id name people: yours is {number}. In files/ is what you sent and delivered, named by its order and its id in
files.json, and in covers/ are the pictures of your gigs. What others sent you is downloaded at
{address}/orders/<number of the order>/files/<id>/. Passwords, secrets of second factors and the private address of
your calendar are not among these data, so that this file opens no door. Card numbers are never with us.
"""


class _Outlet:
    """A file that cannot be read or sought: what is written waits to be taken and sent."""

    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, some: bytes) -> int:
        self.written += some
        return len(some)

    def flush(self) -> None:
        """What is written is sent when it is taken."""

    def take(self) -> bytes:
        taken, self.written = bytes(self.written), bytearray()
        return taken


def export(person: User, *, site: str, address: str, at: datetime) -> Iterator[bytes]:
    """The ZIP in pieces, made while they are sent: memory stays the same for however many rows and whatever files."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]  # it only writes
        words = README.format(site=site, at=at.isoformat(timespec="seconds"), number=person.pk, address=address)
        archive.writestr("README.txt", words)
        for part in PARTS:
            with archive.open(f"{part.file}.json", "w", force_zip64=True) as member:
                for text in _json(part, person):
                    member.write(text.encode())
                    if len(outlet.written) >= PIECE:
                        yield outlet.take()
        for name, file in _files(person):
            # As it is: most kinds are compressed by themselves.
            with archive.open(zipfile.ZipInfo(name, at.timetuple()[:6]), "w", force_zip64=True) as member:
                for some in _content(file):
                    member.write(some)
                    yield outlet.take()
    yield outlet.take()


def _json(part: Part, person: User) -> Iterator[str]:
    left_out = LEFT_OUT - ({"data"} if part.with_data else set())
    separator = "[\n"
    for row in part.rows(person).order_by("pk").values().iterator(chunk_size=500):
        shown = {name: value for name, value in row.items() if name not in left_out}
        yield separator + json.dumps(shown, cls=DjangoJSONEncoder, ensure_ascii=False)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _files(person: User) -> Iterator[tuple[str, FieldFile]]:
    """What the person sent and delivered, but for what our staff withhold, and the covers of their gigs."""
    sent = Attachment.objects.filter(uploaded_by=person).exclude(file="").select_related("order").order_by("pk")
    for attachment in sent.iterator(chunk_size=100):
        name = get_valid_filename(PurePath(attachment.name).name or "file")
        yield f"files/{attachment.order.number}/{attachment.pk}-{name}", attachment.file
    for gig in Gig.objects.filter(seller=person).exclude(cover="").order_by("pk").iterator(chunk_size=100):
        assert gig.cover.name  # as was asked for
        yield f"covers/{gig.slug}{PurePath(gig.cover.name).suffix}", gig.cover


def _content(file: FieldFile) -> Iterator[bytes]:
    """In pieces. Of a file that the store has lost nothing comes, and the log says so: the others are sent."""
    try:
        opened = file.open("rb")
    except OSError:
        logger.exception("The store has lost %s", file.name)
        return
    with opened:
        yield from opened.chunks(PIECE)
