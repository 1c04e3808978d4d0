"""A receipt or credit note as PDF, from what it said when it was issued."""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from payments.models import Document
from payments.money import display
from payments.pdf import Column, Sheet


def document_pdf(document: Document, notes: Sequence[str]) -> bytes:
    """Days are those of the current time zone; `notes` tell what happened since."""
    content, currency = document.content, document.content["currency"]
    of_refund = document.kind == Document.Kind.CREDIT_NOTE
    sheet = Sheet(f"{document.get_kind_display()} {document}", document.issued_at)
    issuer = content["issuer"]
    sheet.paragraph(issuer["name"], size=11)
    if issuer["address"]:
        sheet.paragraph(issuer["address"], soft=True)
    if issuer["tax_id"]:
        sheet.paragraph(f"Tax number {issuer['tax_id']}", soft=True)
    sheet.space(10)
    sheet.heading(f"{document.get_kind_display()} {document}")
    facts = [
        ("Issued to", content["recipient"]),
        ("Issued on", day(document.issued_at)),
        ("Refunded on" if of_refund else "Paid on", day(datetime.fromisoformat(content["happened_at"]))),
        ("Order and milestone", content["reference"]),
        ("Seller", content["seller"]),
    ]
    if of_refund:
        facts.append(("For receipt", content["receipt"]))
    sheet.facts(facts)
    sheet.space(8)
    sheet.grid(
        [Column("Description", 75), Column("Amount", 25, right=True)],
        [[line["text"], display(line["amount"], currency)] for line in content["lines"]],
        [["Refunded" if of_refund else "Paid", f"{display(content['total'], currency)} {currency}"]],
        size=10,
    )
    sheet.space(8)
    sheet.facts(
        (("Refunded as" if of_refund else "Paid with") if first else "", f"{way['text']}: {amount}")
        for first, way, amount in (
            (index == 0, way, display(way["amount"], currency)) for index, way in enumerate(content["ways"])
        )
    )
    for note in notes:
        sheet.space(4)
        sheet.paragraph(note)
    return sheet.bytes()


def day(instant: datetime) -> str:
    """The day of an instant in the current time zone: "3 November 2026"."""
    return date_format(timezone.localtime(instant), "j F Y")
