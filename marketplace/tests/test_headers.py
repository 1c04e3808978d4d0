"""One walk over all kinds of answers, as production sends them over HTTPS: what every one of them carries."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse

from marketplace import clock
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.catalog.tests.factories import GigFactory
from marketplace.headers import PERMISSIONS
from marketplace.notifications.models import CalendarFeed
from orders import services
from orders.models import Attachment, Order
from orders.tests.factories import checked_file, current, make_placed
from payments.services import issue_documents

pytestmark = pytest.mark.django_db(transaction=True)

PDF = b"%PDF-1.4\n%%EOF\n"
ROOT = Path(__file__).resolve().parents[2]
POLICY = (
    "default-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Answers with a policy of their own, each stricter than that of the pages but for the one of a payment:
# files of people run nothing, a PDF needs its browser's viewer, covers are pictures that we drew.
OWN_POLICY = {
    "file": "sandbox; default-src 'none'",
    "inline": "default-src 'none'; object-src 'self'; frame-ancestors 'self'",
    "cover": "default-src 'none'; sandbox",
}
PRODUCTION = {
    "SECRET_KEY": "fR8-vQ2_mZ6xK0tYcW4nB7hLpD1sGjE3uAoIeVrTqXyNkMbCzPwHdS5a9F",
    "DEBUG": "0",
    "SITE_URL": "https://marketplace.example",
    "ALLOWED_HOSTS": "marketplace.example",
    "EMAIL_URL": "smtp+tls://user:password@mail.example:587",
}
SAY = """
import json, django
django.setup()
from django.conf import settings
wanted = ("SESSION_COOKIE_", "CSRF_COOKIE_", "LANGUAGE_COOKIE_", "COOKIE_PREFIX", "SECURE_")
names = [name for name in dir(settings) if name.startswith(wanted) and name != "CSRF_COOKIE_MASKED"]
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


@pytest.fixture(scope="module")
def production() -> dict[str, object]:
    """What the settings say about cookies and HTTPS where SITE_URL is an https:// address."""
    said = subprocess.run(
        [sys.executable, "-c", SAY],
        env={**os.environ, **PRODUCTION, "DJANGO_SETTINGS_MODULE": "marketplace.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    found: dict[str, object] = json.loads(said.stdout)
    return found


@pytest.fixture
def _as_in_production(production: dict[str, object]) -> Iterator[None]:
    sources = {"WHITENOISE_USE_FINDERS": True, "WHITENOISE_AUTOREFRESH": True}
    with override_settings(**production, **sources, ROOT_URLCONF="marketplace.tests.failing_urls"):
        yield


@pytest.fixture
def order() -> Order:
    """With a delivery, its files and a receipt."""
    order = make_placed(buyer=UserFactory.create(), seller=UserFactory.create())
    files = [checked_file("a.png"), checked_file("b.pdf", PDF)]
    services.deliver(current(order), by=order.seller, message="Here.", files=files)
    issue_documents(clock.now())
    return order


def ask(client: Client, address: str) -> HttpResponse:
    client.raise_request_exception = False
    answer = client.get(address, secure=True)
    answer.close()
    return answer


def directives(header: str) -> set[str]:
    return {part.strip() for part in header.replace(",", ";").split(";")}


def what_is_wrong(answer: HttpResponse, *, policy: str = POLICY, private: bool = True) -> list[str]:
    wanted = {
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
        "Content-Security-Policy": policy,
    }
    wrong = [
        f"{name}: {answer.get(name)}"
        for name, value in wanted.items()
        if directives(answer.get(name, "")) != directives(value)
    ]
    if private != ("no-store" in answer.get("Cache-Control", "")):
        wrong.append(f"Cache-Control: {answer.get('Cache-Control')}")
    for name, cookie in answer.cookies.items():
        bound = name.startswith("__Host-") and cookie["path"] == "/" and not cookie["domain"]
        if not (bound and cookie["secure"] and cookie["httponly"] and cookie["samesite"] == "Lax"):
            wrong.append(f"Set-Cookie: {cookie.OutputString()}")
    return wrong


@pytest.mark.usefixtures("_as_in_production")
def test_every_kind_of_answer_carries_the_whole_set(order: Order) -> None:
    feed = CalendarFeed.objects.create(owner=order.buyer)
    gig = GigFactory.create(seller=order.seller)
    png, pdf = Attachment.objects.order_by("pk")
    files = {name: reverse(f"orders:{name}", args=[order.number, png.pk]) for name in ("file", "view_file")}
    inline = reverse("orders:inline", args=[order.number, pdf.pk])
    document = order.buyer.documents.get()
    of_a_side = [
        *("/orders/", "/sales/", "/selling/", "/earnings/", "/cards/", "/notifications/", "/profile/", "/documents/"),
        *("/accounts/email/", "/accounts/2fa/", "/accounts/password/change/"),
        *("/documents.csv", "/calendar/nothing.ics"),
        *(order.get_absolute_url(), f"/orders/{order.number}/changes/", f"/orders/{order.number}/calendar.ics"),
        *(f"/documents/{document.number}/", f"/documents/{document.number}.pdf", files["view_file"]),
        *("/", "/gigs/", gig.get_absolute_url(), "/help/milestones/", "/no-such-page/"),
    ]
    public = ["/", "/gigs/", gig.get_absolute_url(), "/help/milestones/", "/robots.txt", "/sitemap.xml", "/healthz"]
    kept_from_caches = [
        *("/no-such-page/", "/tests/500", "/tests/413", "/tests/503", "/tests/400", "/webhooks/stripe/"),
        *(f"/calendar/{feed.token}.ics", "/accounts/login/", "/accounts/signup/"),
    ]
    nobody, side, staff = Client(), Client(), Client()
    side.force_login(order.buyer, backend="django.contrib.auth.backends.ModelBackend")
    agent = StaffFactory.create(is_superuser=True)
    staff.force_login(agent, backend="django.contrib.auth.backends.ModelBackend")
    wrong = {address: what_is_wrong(ask(nobody, address), private=False) for address in public}
    wrong |= {f"{address} as nobody": what_is_wrong(ask(nobody, address)) for address in kept_from_caches}
    wrong |= {f"{address} of a side": what_is_wrong(ask(side, address)) for address in of_a_side}
    for address in ("/admin/", "/admin/orders/order/", "/admin/accounts/user/", "/admin/jsi18n/", "/admin/nothing/"):
        wrong[f"{address} of staff"] = what_is_wrong(ask(staff, address))
    for address, is_private in (("/admin/", True), ("/orders/", False)):  # both lead to a sign-in
        wrong[f"{address} as nobody"] = what_is_wrong(ask(nobody, address), private=is_private)
    wrong["a style of a side"] = what_is_wrong(ask(side, "/static/site.css"), private=False)
    wrong["a file"] = what_is_wrong(ask(side, files["file"]), policy=OWN_POLICY["file"])
    wrong["a PDF"] = what_is_wrong(ask(side, inline), policy=OWN_POLICY["inline"])
    statuses = {address: ask(nobody, address).status_code for address in kept_from_caches}
    assert len(wrong) == 50
    assert {address: found for address, found in wrong.items() if found} == {}
    assert list(statuses.values())[:6] == [404, 500, 413, 503, 400, 405]


@pytest.mark.usefixtures("_as_in_production")
@pytest.mark.parametrize(
    "host", ["evil.example", "marketplace.example:x", "a b", "-", "marketplace.example@evil.example"]
)
def test_a_host_that_is_not_ours_is_refused_before_anything_is_known_of_who_asks(host: str) -> None:
    client = Client(headers={"host": host}, raise_request_exception=False)
    answer = ask(client, "/")
    assert (answer.status_code, what_is_wrong(answer), answer["X-Frame-Options"]) == (400, [], "DENY")
    assert "We could not read that" in answer.content.decode()
