from django import template

from payments.money import display
from payments.said import said

register = template.Library()
register.filter("said", said)


@register.filter
def money(amount: int, currency: str) -> str:
    """`{{ held.amount|money:held.currency }}`."""
    return display(amount, currency)
