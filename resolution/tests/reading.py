"""A browser, and a page as it is read."""

import re
from html import unescape
from typing import Any

from django.test import Client

from marketplace.accounts.models import User
from orders.models import Order
from orders.tests.factories import fresh
from resolution.tests.factories import reason


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    """The page as it is read, a space for each tag."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())


def open_url(order: Order, kind: str = "cancel_milestone") -> str:
    """The page on which a case of this kind is opened."""
    return f"/orders/{order.number}/cases/{kind.replace('_', '-')}/"


def posted(order: Order, code: str = "agreed_by_both", **values: Any) -> dict[str, Any]:
    """What the form of every kind posts, drawn from the order as it is now."""
    statement = "We agreed on the phone."
    return {"version": fresh(order).version, "reason": reason(code).pk, "statement": statement} | values
