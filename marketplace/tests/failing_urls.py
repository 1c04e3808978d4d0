"""The addresses of the site and some whose views fail: what browsers get then."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.urls import path

from marketplace.urls import urlpatterns as sites_own


def breaks(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("A view broke.")


def too_much(request: HttpRequest) -> HttpResponse:
    return HttpResponse("too large", status=413)


def out_of_order(request: HttpRequest) -> HttpResponse:
    return HttpResponse("later", status=503)


def bad(request: HttpRequest) -> HttpResponse:
    raise RequestDataTooBig("Far too much.")


urlpatterns = [
    path("tests/500", breaks),
    path("tests/413", too_much),
    path("tests/503", out_of_order),
    path("tests/400", bad),
    *sites_own,
]
