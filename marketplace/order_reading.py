"""What an order's page reads, in few questions: the order's figures in one, what was handed over in another."""

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BigIntegerField,
    Count,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    SmallIntegerField,
    Subquery,
    Sum,
    Value,
    prefetch_related_objects,
)
from django.db.models.functions import JSONObject
from django.db.models.lookups import Exact, IsNull
from django.http import Http404
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.catalog.models import Gig
from marketplace.order_live import State, columns_of_state, state_of_row
from marketplace.reviews.models import Review
from marketplace.statement import Statement
from marketplace.templatetags.words import moment
from orders.listed import ListedFile, listing
from orders.models import Attachment, Delivery, Message, Milestone, Order, ReadMark
from payments.models import Document, Refund, Transfer
from payments.services import Cents, cents_of_transfers


@dataclass(frozen=True)
class Mark:
    """How far one side has read, and since when."""

    message_id: int
    read_at: datetime


@dataclass(frozen=True)
class Stars:
    """What sellers gave a buyer: the plain mean, and of how many reviews."""

    value: Decimal
    count: int


@dataclass(frozen=True)
class Facts:
    """The figures of an order as one of its sides may know them, all of one instant.

    Of `documents` there are the viewer's own (P3). `buyer_stars` are for sellers, before the order ends; `gig_on_sale`
    is the slug of the order's gig while it is sold.
    """

    state: State
    cents: Cents
    refunds: list[Refund]
    documents: list[Document]
    marks: dict[int, Mark]
    buyer_stars: Stars
    gig_on_sale: str


@dataclass(frozen=True)
class Handed:
    """What one side gave the other: a message, or with a `number` a delivery of a milestone."""

    pk: int
    milestone_id: int | None
    number: int | None
    author_id: int
    name: str
    text: str
    at: datetime
    files: list[ListedFile]

    @property
    def when(self) -> str:
        return moment(self.at)

    @property
    def heading(self) -> SafeString:
        """ "Delivery 2 · Mon 2 Nov, 10:00", of a delivery."""
        return SafeString(_("Delivery %(number)s · %(when)s") % {"number": self.number, "when": self.when})


def facts_of(number: str, viewer: User, now: datetime) -> Facts:
    """What the page of the viewer's order tells in figures. One query. Raises Http404 when they have no such order."""
    found = _FACTS.rows(number, viewer.pk, now)
    if not found:
        raise Http404
    *state, cents, refunds, receipts, credit_notes, marks, stars, gig = found[0]
    given = json.loads(stars) if stars else {"sum": 0, "count": 0}
    mean = Decimal(given["sum"]) / given["count"] if given["count"] else Decimal(0)
    return Facts(
        state=state_of_row(state, now),
        cents=Cents(**json.loads(cents)) if cents else Cents(),
        refunds=[_refund(**json.loads(one)) for one in refunds],
        documents=sorted((Document(**json.loads(one)) for one in (*receipts, *credit_notes)), key=lambda one: one.pk),
        marks={one["reader"]: _mark(**one) for one in map(json.loads, marks)},
        buyer_stars=Stars(mean.quantize(Decimal("0.1"), ROUND_HALF_UP), given["count"]),
        gig_on_sale=gig or "",
    )


def _mark(reader: int, message: int, at: str) -> Mark:
    return Mark(message, datetime.fromisoformat(at))


def _refund(settled_at: str | None, **details: Any) -> Refund:
    return Refund(settled_at=datetime.fromisoformat(settled_at) if settled_at else None, **details)


def _facts(number: str, viewer_id: int, now: datetime) -> QuerySet[Order, tuple[Any, ...]]:
    viewer = User(pk=viewer_id)
    of_order = {"held__milestone__order": OuterRef("pk")}
    transfers = Transfer.objects.filter(**of_order).order_by().values("held__milestone__order")
    # Each refund with its state (M9); of one that staff gave again only its credit part, if any, is still told.
    refunds = Refund.objects.filter(Q(retried=False) | Q(credit__gt=0), **of_order).order_by("pk")
    papers = Document.objects.filter(recipient=viewer)
    about_buyer = Review.objects.filter(subject=OuterRef("buyer"), about=Review.Side.BUYER).visible(now)
    # For their seller alone, so that nothing is counted for others.
    about_buyer = about_buyer.filter(Exact(OuterRef("seller"), viewer_id), IsNull(OuterRef("ended_at"), True))
    written = {"id": "pk", "kind": "kind", "number": "number", "refund_id": "refund", "content": "content"}
    columns = [
        Subquery(transfers.annotate(cents=JSONObject(**cents_of_transfers())).values("cents")),
        _objects(
            refunds,
            id="pk",
            held_id="held",
            amount="amount",
            credit="credit",
            status="status",
            retried="retried",
            settled_at="settled_at",
        ),
        _objects(papers.filter(charge__held__milestone__order=OuterRef("pk")), **written),
        _objects(papers.filter(refund__held__milestone__order=OuterRef("pk")), **written),
        _objects(ReadMark.objects.filter(order=OuterRef("pk")), reader="reader", message="message", at="read_at"),
        Subquery(about_buyer.order_by().values("subject").annotate(all=_SUM_AND_COUNT).values("all")),
        Subquery(Gig.objects.for_sale().filter(pk=OuterRef("gig")).values("slug")),
    ]
    order = Order.objects.of(viewer).filter(number=number).order_by()
    return order.values_list(*columns_of_state(viewer), *columns)


def _objects(rows: QuerySet[Any], **columns: str) -> ArraySubquery:
    """Rows of another table, each as JSON."""
    return ArraySubquery(rows.values(json=JSONObject(**columns)))


_SUM_AND_COUNT = JSONObject(sum=Sum("rating"), count=Count("pk"))
_FACTS = Statement(_facts)


def whole_order(number: str, viewer: User) -> Order:
    """The viewer's order with what its guards look at: two queries, or three where an attempt to pay may be undecided.

    Raises Http404 when they have no such order.
    """
    order = Order.objects.of(viewer).select_related("buyer", "seller", "terms").filter(number=number).order_by().first()
    if order is None:
        raise Http404
    prefetch_related_objects([order], Prefetch("milestones", Milestone.objects.select_related("held")))
    step = order.current
    # No guard asks about the attempts of what is funded already, and none gets so far while the order is frozen.
    if step and step.held and step.status == Milestone.Status.AWAITING_PAYMENT and not order.paused_at:
        prefetch_related_objects([step.held], "charges")
    return order


def handed_over(order: Order) -> tuple[list[Handed], list[Handed]]:
    """The messages and the deliveries of an order with their files, each oldest first. One query."""
    listed = listing(order.number)
    handed = [
        Handed(*rest, files=[listed(**json.loads(one)) for one in files]) for *rest, files in _HANDED.rows(order.pk)
    ]
    messages = sorted((one for one in handed if one.number is None), key=lambda one: one.pk)
    deliveries = sorted((one for one in handed if one.number is not None), key=lambda one: one.number or 0)
    return messages, deliveries


def _handed(order_id: int) -> QuerySet[Any, tuple[Any, ...]]:
    messages = Message.objects.filter(order=order_id).order_by()
    deliveries = Delivery.objects.filter(milestone__order=order_id).order_by()
    of_message = _files_of(Attachment.objects.filter(message=OuterRef("pk")))
    of_delivery = _files_of(Attachment.objects.filter(delivery=OuterRef("pk")))
    no_milestone, no_number = Value(None, BigIntegerField()), Value(None, SmallIntegerField())
    written = messages.values_list(
        "pk", no_milestone, no_number, "author", "author__name", "text", "sent_at", of_message
    )
    given = deliveries.values_list(
        "pk", "milestone", "number", "delivered_by", "delivered_by__name", "message", "delivered_at", of_delivery
    )
    return written.union(given, all=True)


def _files_of(files: QuerySet[Attachment]) -> ArraySubquery:
    columns = ("name", "size", "content_type", "thumbnail", "withheld_at", "withheld_because")
    return _objects(files.order_by("pk"), pk="pk", **{column: column for column in columns})


_HANDED = Statement(_handed)
