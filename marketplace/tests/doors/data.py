"""One of everything that an address can name, from the demo: orders in every state, files, gigs, cases, money."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

import payments.services as payments
import resolution.services as cases
from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog import services as catalog
from marketplace.catalog.models import Gig
from marketplace.catalog.plans import PlannedMilestone
from marketplace.demo.people import PASSWORD, Cast
from marketplace.demo.play import play
from marketplace.models import LedgerProof
from marketplace.notifications.models import Digest, Notice, Preference
from marketplace.notifications.preferences import renew_calendar, stop_token
from orders import services
from orders.models import Attachment, OfferRequest, Order
from orders.tests.factories import checked_file
from payments.gateways import KeptCard
from payments.models import (
    Charge,
    Document,
    ProviderEvent,
    SandboxCharge,
    SandboxDispute,
    SandboxPayoutAccount,
    SavedCard,
    Withdrawal,
)
from payments.services.cards import save_card
from resolution.models import Case

NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
DELIVERED = {"paused_at": None, "milestones__status": "delivered", "decide_by__isnull": False}
PDF = b"%PDF-1.7\n1 0 obj << >> endobj\n%%EOF"


@dataclass(frozen=True)
class Thing:
    """What a row of the table is about: the parts of its address, its two sides, and the version forms post."""

    buyer: User
    seller: User
    parts: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1

    def but(self, **parts: Any) -> "Thing":
        return replace(self, parts={**self.parts, **parts})


@dataclass
class World:
    """All things by their names, and who there is besides the two sides."""

    cast: Cast
    stranger: User
    gone: User
    things: dict[str, Thing]

    def of(self, name: str, route: str = "") -> Thing:
        """`frozen`, or `frozen:split` with the last part of its address; `row` is the first of the route's model."""
        if name == "row":
            app, model = route.split("/")[1:3]
            row = self.stranger if model == "user" else apps.get_model(app, model)._base_manager.earliest("pk")
            return self.things["-"].but(object_id=row.pk, id=row.pk)
        thing, _, last = name.partition(":")
        found = self.things[thing]
        return found.but(name=last, kind=last, section=last, app_label=last) if last else found


def build() -> World:
    """Play the demo at `NOW`, and add what it lacks. Commits."""
    with clock.at(NOW):
        cast = play(NOW)
        _happen(cast)
        services.settle_due()
        payments.issue_documents(NOW)
        things = {"-": Thing(cast["ana"], cast["mia"])}
        things |= _orders(cast) | _gigs(cast) | _cases(cast) | _money(cast) | _letters(cast) | _keys(cast["ana"])
        things |= _files(things["delivered"], things["frozen"]) | _pages_of_admin(cast)
        _rows_of_admin(cast)
    stranger = User.objects.create_user("stranger@example.com", PASSWORD, name="Stranger")
    gone = User.objects.create_superuser("gone@example.com", name="Gone")
    # As after everybody's first sign-in.
    known = EmailAddress.objects.values("user")
    for person in User.objects.exclude(pk__in=known):
        EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return World(cast, stranger, gone, things)


def _order(cast: Cast, buyer: str, seller: str, **state: Any) -> Order:
    found = Order.objects.whole().filter(buyer=cast[buyer], seller=cast[seller], **state)
    return found.order_by("pk")[0]


def _happen(cast: Cast) -> None:
    """What the demo's stories do not tell."""
    ana = cast["ana"]
    delivered = _order(cast, "ana", "theo", **DELIVERED)
    files = [checked_file("a.pdf", PDF), checked_file("b.txt", b"secret")]
    services.send_message(delivered, by=ana, text="See these.", files=files)
    services.withhold_file(delivered.attachments.get(name="b.txt"), by=cast.support, reason="Not theirs")
    case = Case.objects.filter(kind="cancel_milestone", status="open").earliest("pk")
    cases.write_in_case(case, by=ana, text="As shown.", files=[checked_file("shown.txt", b"proof")])


def _thing(order: Order, **parts: Any) -> Thing:
    step = order.current or order.next_milestone or order.plan[-1]
    known = {"number": order.number, "pk": step.pk, "object_id": order.pk}
    return Thing(order.buyer, order.seller, known | parts, order.version)


def _orders(cast: Cast) -> dict[str, Thing]:
    orders = {
        "offered": _order(cast, "ana", "mia", status="offered"),
        "unpaid": _order(cast, "ana", "ravi", status="awaiting_payment"),
        "working": _order(cast, "ana", "mia", milestones__status="in_progress"),
        "delivered": _order(cast, "ana", "theo", **DELIVERED),
        "revising": _order(cast, "ben", "lea", milestones__status="in_revision"),
        "between": _order(cast, "ben", "mia", status="active", paused_at=None, milestones__status="completed"),
        "frozen": _order(cast, "ana", "ravi", paused_at__isnull=False),
        "ended": _order(cast, "ana", "ravi", closed_because="stopped"),
        "canceled": _order(cast, "ben", "ravi", closed_because="unpaid"),
    }
    things = {name: _thing(order) for name, order in orders.items()}
    things["no-order"] = things["delivered"].but(number="MP-0000-0000-0000", object_id=2**31 - 2)
    other = things["working"].parts
    things["other-milestone"] = things["delivered"].but(pk=other["pk"])
    request = OfferRequest.objects.filter(seller=cast["mia"], offer=None).latest("pk")
    things["request"] = Thing(request.buyer, request.seller, {"query": f"?request={request.pk}"})
    things["on-behalf-refund"] = things["delivered"].but(side="buyer", kind="partial_refund")
    return things


def _files(delivered: Thing, frozen: Thing) -> dict[str, Thing]:
    of_order = Attachment.objects.filter(order__number=delivered.parts["number"])
    named = {
        "picture": of_order.filter(content_type="image/png").earliest("pk"),
        "pdf": of_order.get(content_type="application/pdf"),
        "withheld": of_order.get(name="b.txt"),
    }
    things = {name: delivered.but(pk=file.pk, file_id=file.pk) for name, file in named.items()}
    things["other-file"] = frozen.but(pk=named["picture"].pk, file_id=named["picture"].pk)
    evidence = Attachment.objects.get(name="shown.txt")
    return things | {"evidence": frozen.but(pk=evidence.pk, file_id=evidence.pk)}


def _gigs(cast: Cast) -> dict[str, Thing]:
    mia = cast["mia"]
    gigs = {"gig": cast.gigs["mia"]}
    for name in ("draft", "paused", "archived"):
        gigs[name] = catalog.create_gig(
            mia,
            title=f"A gig that is {name}",
            category=gigs["gig"].category,
            description="Words.",
            currency="USD",
            plan=[PlannedMilestone("All of it", "", 9_000, 4, 1)],
        )
    catalog.pause(catalog.publish(gigs["paused"], by=mia), by=mia)
    catalog.archive(catalog.publish(gigs["archived"], by=mia), by=mia)
    cover = str(gigs["gig"].cover.name).rpartition("/")[2]
    return {
        name: Thing(cast["ana"], mia, {"slug": gig.slug, "name": cover, "handle": mia.handle}, _version_of(gig))
        for name, gig in gigs.items()
    }


def _version_of(gig: Gig) -> int:
    return Gig.objects.get(pk=gig.pk).version


def _cases(cast: Cast) -> dict[str, Thing]:
    def of(**state: Any) -> Case:
        return Case.objects.select_related("order__buyer", "order__seller").filter(**state).earliest("pk")

    found = {
        "open-case": of(kind="cancel_milestone", status="open"),
        "proposal": of(kind="extend", status="open"),
        "escalated": of(kind="cancel_milestone", status="escalated"),
        "ruled": of(status="ruled"),
    }
    things = {
        name: Thing(
            case.order.buyer,
            case.order.seller,
            {"number": case.number, "object_id": case.pk, "case_id": case.pk},
            case.order.version,
        )
        for name, case in found.items()
    }
    proposal = things["proposal"]
    things["operated"] = proposal.but(object_id=found["proposal"].order_id)
    things["other-case"] = things["operated"].but(case_id=found["ruled"].pk)
    return things


def _money(cast: Cast) -> dict[str, Thing]:
    ana, mia, lea = cast["ana"], cast["mia"], cast["lea"]
    with transaction.atomic():
        save_card(ana, "sandbox", KeptCard("kept-1", "Visa 4242", "2030-01"), at=NOW)
    waiting = SandboxCharge.objects.filter(status="action_needed").latest("pk")
    failed = Charge.objects.filter(held__payer=ana, status="failed").earliest("pk")
    Charge.objects.filter(pk=failed.pk).update(provider="stripe")
    bank = SandboxPayoutAccount.objects.earliest("created_at")
    return {
        "usd": Thing(ana, lea, {"currency": "USD", "year": 2026}),
        "no-currency": Thing(ana, lea, {"currency": "XXX", "year": 99999}),
        "withdrawal": Thing(ana, mia, {"pk": Withdrawal.objects.filter(owner=mia).latest("pk").pk}),
        "receipt": Thing(ana, mia, {"number": Document.objects.filter(recipient=ana).earliest("pk").number}),
        "card": Thing(ana, mia, {"pk": SavedCard.objects.get(owner=ana).pk}),
        "attempt": Thing(ana, mia, {"key": failed.key}),
        "bank-question": Thing(ana, mia, {"charge_id": waiting.pk}),
        "bank-account": Thing(ana, mia, {"account_id": bank.pk}),
        "provider": Thing(ana, mia, {"provider": "sandbox"}),
        "no-provider": Thing(ana, mia, {"provider": "nobody"}),
    }


def _letters(cast: Cast) -> dict[str, Thing]:
    ana, mia = cast["ana"], cast["mia"]
    notice = Notice.objects.filter(recipient=ana).earliest("pk")
    return {
        "notice": Thing(ana, mia, {"pk": notice.pk}),
        "stop": Thing(ana, mia, {"token": stop_token(ana.pk, "messages")}),
        "feed": Thing(ana, mia, {"token": renew_calendar(ana).token}),
        "no-token": Thing(ana, mia, {"token": "x" * 43}),
    }


def _keys(ana: User) -> dict[str, Thing]:
    """What mails of allauth lead to."""
    address = EmailAddress.objects.create(user=ana, email=ana.email, verified=False, primary=True)
    mailed = {"uidb36": user_pk_to_url_str(ana), "key": default_token_generator.make_token(ana)}
    return {
        "confirmation": Thing(ana, ana, {"key": EmailConfirmationHMAC(address).key}),
        "reset": Thing(ana, ana, mailed),
        "no-key": Thing(ana, ana, mailed | {"key": "abc-0123456789abcdef"}),
    }


def _pages_of_admin(cast: Cast) -> dict[str, Thing]:
    kind, order = ContentType.objects.get_for_model(Order), Order.objects.earliest("pk")
    withdrawal = Withdrawal.objects.filter(status="requested").latest("pk")
    return {
        "on-site": Thing(cast["ana"], cast["mia"], {"content_type_id": kind.pk, "object_id": order.pk}),
        "unknown": Thing(cast["ana"], cast["mia"], {"url": "nothing/here/"}),
        "asked-withdrawal": Thing(cast["ana"], withdrawal.owner, {"object_id": withdrawal.pk}),
    }


def _rows_of_admin(cast: Cast) -> None:
    """One row of each model that the demo leaves empty."""
    mia = cast["mia"]
    charge = Charge.objects.filter(held__payee=mia, held__payer=cast["ben"], funded=True).earliest("pk")
    with transaction.atomic():
        payments.take_back(charge, provider_id="dp_1", amount=500, reason="Not recognized.", at=NOW)
    taken = SandboxCharge.objects.earliest("created_at")
    SandboxDispute.objects.create(charge=taken, amount=500, status="taken", created_at=NOW)
    ProviderEvent.objects.create(provider="sandbox", event_id="e1", kind="charge", body={"a": 1}, received_at=NOW)
    LedgerProof.objects.create(proved_at=NOW, holds=True, rows=1, seconds=0.1, results=[])
    Digest.objects.create(recipient=mia, created_at=NOW)
    Preference.objects.create(person=mia, topic="messages")
