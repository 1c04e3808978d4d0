"""A receipt or credit note as PDF, from what it said when it was issued."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from marketplace.accounts.instants import full_day
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
        sheet.paragraph(_("Tax number {number}").format(number=issuer["tax_id"]), soft=True)
    sheet.space(10)
    sheet.heading(f"{document.get_kind_display()} {document}")
    facts = [
        (_("Issued to"), content["recipient"]),
        (_("Issued on"), full_day(document.issued_at)),
        (_("Refunded on") if of_refund else _("Paid on"), full_day(datetime.fromisoformat(content["happened_at"]))),
        (_("Order and milestone"), content["reference"]),
        (_("Seller"), content["seller"]),
    ]
    if of_refund:
        facts.append((_("For receipt"), content["receipt"]))
    sheet.facts(facts)
    sheet.space(8)
    sheet.grid(
        [Column(_("Description"), 75), Column(_("Amount"), 25, right=True)],
        [[line["text"], display(line["amount"], currency)] for line in content["lines"]],
        [[_("Refunded") if of_refund else _("Paid"), f"{display(content['total'], currency)} {currency}"]],
        size=10,
    )
    sheet.space(8)
    sheet.facts(
        ((_("Refunded as") if of_refund else _("Paid with")) if first else "", f"{way['text']}: {amount}")
        for first, way, amount in (
            (index == 0, way, display(way["amount"], currency)) for index, way in enumerate(content["ways"])
        )
    )
    for note in notes:
        sheet.space(4)
        sheet.paragraph(note)
    return sheet.bytes()
