from django import template

from payments.money import display

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    """`{{ held.amount|money:held.currency }}`."""
    return display(amount, currency)
