"""Receipts and credit notes: numbered by one task after the commit, in ledger order, without gaps (M11)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Max, OuterRef, Q, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace.accounts.reader import reading_as
from payments.models import Charge, Document, HeldFunds, Refund, Transfer
from payments.money import display
from payments.said import said

BATCH = 200
# The advisory lock that lets one transaction at a time give numbers; any constant that nothing else uses.
NUMBERING = 0x70617065
CAME_BACK = gettext_noop(
    "This refund came back: it could not be completed after all. Until it is given again this credit note stands for "
    "it; no other gets its number."
)

Kind = Transfer.Kind
_SETTLES_A_CHARGE = (Kind.CHARGE, Kind.SURPLUS, Kind.CREDIT_SPENT)
_SETTLES_A_REFUND = (Kind.REFUNDED, Kind.CREDITED, Kind.CREDIT_RETURNED)


def issue_documents(at: datetime) -> int:
    """Give booked successes their receipts and what was given back its credit notes; returns how many (M11).

    At most `BATCH` of each, all or none: the numbers are taken in the transaction that writes the rows, by one
    transaction at a time, so neither a crash nor a second worker leaves a gap. Credit notes wait until no receipt
    is due, because each names the receipt that it takes back.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NUMBERING])
        charges = _undocumented_charges()
        _number([_receipt(charge, at) for charge in charges])
        Charge.objects.filter(pk__in=[charge.pk for charge in charges]).update(documented=True)
        refunds = _undocumented_refunds() if len(charges) < BATCH else []
        _number([_credit_note(refund, at) for refund in refunds])
        Refund.objects.filter(pk__in=[refund.pk for refund in refunds]).update(documented=True)
    return len(charges) + len(refunds)


def notes_on(document: Document) -> list[str]:
    """What has happened since to what a document is about. The document itself stays as it is."""
    if document.refund:
        return _notes_on_refund(document.refund, document.content["total"])
    notes = []
    if document.content["purpose"] == "surplus":
        notes.append(_("This payment could not be used for its milestone any more, so it goes back to you in full."))
    given_back = Document.objects.filter(refund__charge=document.charge_id).order_by("number")
    for note in given_back:
        notes.append(
            _("{amount} went back: credit note {note}.").format(
                amount=display(note.content["total"], note.content["currency"]), note=note
            )
        )
    return notes


def _notes_on_refund(refund: Refund, noted: int) -> list[str]:
    if refund.status == Refund.Status.SUCCEEDED or noted == refund.credit:
        return []
    # Given again after it came back, it is a row of its own that this credit note stands for as well.
    first = refund.key.removesuffix(f"/{refund.attempt}")
    last = Refund.objects.filter(key__startswith=f"{first}/", charge=refund.charge_id).order_by("attempt").last()
    if last is None or last.status != Refund.Status.SUCCEEDED:
        return [_(CAME_BACK)]
    if last.credit == last.amount:
        return [_("This refund came back once, and was then given again, as credit.")]
    return [_("This refund came back once, and was then given again, the way it was paid.")]


def missing_numbers(kind: str) -> int:
    """How many numbers up to the last one have no document; always none."""
    numbers = Document.objects.filter(kind=kind).aggregate(last=Max("number", default=0), count=models.Count("pk"))
    missing: int = numbers["last"] - numbers["count"]
    return missing


def _undocumented_charges() -> list[Charge]:
    booked = Charge.objects.filter(Q(funded=True) | Q(surplus=True), status=Charge.Status.SUCCEEDED, documented=False)
    in_ledger_order = booked.annotate(settled_by=_settled_by("charge", _SETTLES_A_CHARGE)).order_by("settled_by", "pk")
    # Locked, so that nothing is decided anew about what is being documented.
    locked = in_ledger_order.select_for_update(of=("self",), no_key=True)
    return list(locked.select_related("held__payer", "held__payee").prefetch_related("refunds")[:BATCH])


def _undocumented_refunds() -> list[Refund]:
    in_ledger_order = (
        Refund.objects.undocumented()
        .annotate(settled_by=_settled_by("refund", _SETTLES_A_REFUND))
        .order_by("settled_by", "pk")
    )
    locked = in_ledger_order.select_for_update(of=("self",), no_key=True)
    return list(locked.select_related("held__payer", "held__payee", "charge__receipt")[:BATCH])


def _settled_by(operation: str, kinds: Sequence[str]) -> Subquery:
    """The transfer that settled an operation: the last, for credit is given at once and the card's part later."""
    settling = Transfer.objects.filter(**{operation: OuterRef("pk")}, kind__in=kinds).order_by().values(operation)
    return Subquery(settling.annotate(last=Max("pk")).values("last"))


def _number(documents: Sequence[Document]) -> None:
    if not documents:
        return
    last = Document.objects.filter(kind=documents[0].kind).aggregate(last=Max("number", default=0))["last"]
    for number, document in enumerate(documents, start=last + 1):
        document.number = number
    Document.objects.bulk_create(documents)


def _receipt(charge: Charge, at: datetime) -> Document:
    held = charge.held
    if charge.funded:
        card, credit, price, fee = charge.card_amount, charge.credit, charge.amount - held.buyer_fee, held.buyer_fee
    else:
        # Credit that was to pay a part of a late success may be spent already: what goes back is what there was.
        back = min(charge.refunds.all(), key=lambda refund: refund.pk)
        card, credit, price, fee = back.card_amount, back.credit, back.amount, 0
    # What a document says stays, so it is said in the language of whom it is for.
    with reading_as(held.payer):
        lines = [
            {"text": held.description, "amount": price},
            {"text": _("Buyer fee ({rate})").format(rate=_percent(held.buyer_fee_rate)), "amount": fee},
        ]
        content = _common(held) | {
            "happened_at": _iso(charge.settled_at or at),
            "purpose": "funded" if charge.funded else "surplus",
            "lines": [line for line in lines if line["amount"]],
            "total": price + fee,
            "ways": _ways(charge, card, credit),
        }
    kind = Document.Kind.RECEIPT
    return Document(kind=kind, recipient=held.payer, charge=charge, issued_at=at, content=content)


def _credit_note(refund: Refund, at: datetime) -> Document:
    held = refund.held
    # Of one that was refused only the credit went back: the card's part is the next attempt's.
    card = refund.card_amount if refund.status == Refund.Status.SUCCEEDED else 0
    total = card + refund.credit
    with reading_as(held.payer):
        content = _common(held) | {
            "happened_at": _iso(refund.settled_at or at),
            "receipt": str(refund.charge.receipt),
            "lines": [{"text": _("Refund: {description}").format(description=held.description), "amount": total}],
            "total": total,
            "ways": _ways(refund.charge, card, refund.credit),
        }
    kind = Document.Kind.CREDIT_NOTE
    return Document(kind=kind, recipient=held.payer, refund=refund, issued_at=at, content=content)


def _common(held: HeldFunds) -> dict[str, Any]:
    return {
        "issuer": {
            "name": settings.OPERATOR_NAME,
            "address": settings.OPERATOR_ADDRESS,
            "tax_id": settings.OPERATOR_TAX_ID,
        },
        "recipient": held.payer.name,
        "seller": held.payee.name,
        "reference": held.reference,
        "description": held.description,
        "currency": held.currency,
        "fee_rate": held.buyer_fee_rate,
    }


def _ways(charge: Charge, card: int, credit: int) -> list[dict[str, Any]]:
    """How the amount was paid or given back: each way with its part."""
    ways = [{"text": said(charge.method_label) or _("Card"), "amount": card}, {"text": _("Credit"), "amount": credit}]
    return [way for way in ways if way["amount"]]


def _percent(rate: int) -> str:
    whole, part = divmod(rate, 100)
    return f"{whole}.{part:02}".rstrip("0").rstrip(".") + " %"


def _iso(instant: datetime) -> str:
    return instant.isoformat()
