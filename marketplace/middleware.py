"""Per-request facts about the viewer."""

import zoneinfo
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from marketplace.accounts.languages import language_of
from resolution.services import settle_cases_of


class CasesFirst:
    """Before anybody acts on an order, by whatever page: what the clock owes its cases (O7, R4).

    An act on a case does this by itself. `orders` knows no case, so it is done here, where both are known. The page
    that opens a case asks what is possible before it acts, so it has to be done before that page too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: list[Any], kwargs: dict[str, Any]) -> None:
        match = request.resolver_match
        acts = match and (match.view_name == "resolution:open_kind" or match.app_name == "orders")
        if request.method == "POST" and acts and "number" in kwargs:
            settle_cases_of(kwargs["number"])


def viewer(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Speak the viewer's language, and show times in their zone."""

    def middleware(request: HttpRequest) -> HttpResponse:
        person = request.user if request.user.is_authenticated else None
        zone = zoneinfo.ZoneInfo(person.time_zone if person else settings.TIME_ZONE)
        language = language_of(request, person)
        with translation.override(language), timezone.override(zone):
            response = get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response

    return middleware
