"""The last proof of the ledger, for the first page of the administration."""

from django import template

from marketplace.models import LedgerProof

register = template.Library()


@register.simple_tag
def last_proof() -> LedgerProof | None:
    return LedgerProof.objects.first()
