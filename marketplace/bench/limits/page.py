"""The smallest page: one query and the base template, through the same handler and middleware as every page.

A module of addresses as well: while pages are measured it stands in for the site's, which it holds.
"""

from functools import cache
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from orders.models import Order

SMALLEST = "/bench/smallest/"
WITHOUT_MIDDLEWARE = "/bench/without-middleware/"
_template = """
{% extends "base.html" %}
{% block title %}{{ order.number }}{% endblock %}
{% block content %}<h1>{{ order.title }}</h1>{% endblock %}
"""


@cache
def _compiled() -> Any:
    return engines["django"].from_string(_template)


def smallest(request: HttpRequest) -> HttpResponse:
    order = Order.objects.values("number", "title").order_by("pk")[:1].get()
    return HttpResponse(_compiled().render({"order": order}, request))


def without_middleware(request: HttpRequest) -> HttpResponse:
    """The same for a handler that has none: nobody is signed in."""
    request.user = AnonymousUser()
    return smallest(request)


urlpatterns = [
    path(SMALLEST[1:], smallest),
    path(WITHOUT_MIDDLEWARE[1:], without_middleware),
    path("", include("marketplace.urls")),
]
