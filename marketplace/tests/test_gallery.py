"""Every page as it looks: on each, axe finds nothing, nothing is wider than the window and the browser says nothing.

The data are the demo's. Every day axe looks at each page on a desktop in light, and a phone's width is measured.
With GALLERY=1 axe looks at it in both schemes at both widths, and pictures of all of it are written to var/gallery/,
with the HTML as it was sent, for a validator. A page is opened once: its look follows the window and the preferred
scheme without a script. What a page weighs is counted as production sends it: scripts and styles compressed.
"""

import gzip
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.conf import settings
from django.http import HttpRequest
from django.test import Client
from playwright.sync_api import Browser, Response
from pytest_django.live_server_helper import LiveServer

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog.models import Gig
from marketplace.demo import people
from marketplace.demo.play import play
from marketplace.tests import axe
from marketplace.tests.browsing import DESKTOP, PHONE, Person
from orders.models import Attachment, Milestone, OfferRequest, Order
from payments import services
from payments.models import Document, SandboxCharge, SandboxPayoutAccount, Withdrawal, WithdrawalLimit
from resolution.models import Case
from resolution.models.choices import PROPOSALS

pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = Path(settings.VAR_DIR) / "gallery"
WITH_PICTURES = bool(os.environ.get("GALLERY"))
SECOND_FACTOR = "/accounts/2fa/"
HEAVIEST = 100_000  # bytes of a page without its images
Pages = dict[str, str]


def test_every_page_can_be_shown(browser: Browser, live_server: LiveServer) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    cast = play(clock.now())
    services.issue_documents(clock.now())
    RecoveryCodes.activate(cast.support)
    problems = photograph(browser, live_server.url, Client(), everybodys())
    problems += photograph(browser, live_server.url, signing_in(cast.admin), {"code": f"{SECOND_FACTOR}authenticate/"})
    seen: Pages = {}  # the same look at somebody else's order is looked at once
    for user in (*cast.people.values(), cast.support, cast.finance):
        pages = {name: path for name, path in pages_of(user).items() if name not in seen}
        problems += photograph(browser, live_server.url, signed_in(user), pages)
        seen |= pages
    assert problems == [], "\n".join(problems)


def looks() -> Iterator[tuple[int, Literal["light", "dark"]]]:
    yield DESKTOP, "light"
    yield PHONE, "light"
    if WITH_PICTURES:
        yield DESKTOP, "dark"
        yield PHONE, "dark"


def signed_in(user: User) -> Client:
    """In a session that has just proved who it is, as the pages of the second factor want it."""
    client, request = Client(), HttpRequest()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    request.session = client.session
    record_authentication(request, user, "password", reauthenticated=True)
    request.session.save()
    return client


def signing_in(user: User) -> Client:
    """Between the password and the code."""
    client = Client()
    client.post("/accounts/login/", {"login": user.email, "password": people.PASSWORD})
    return client


def photograph(browser: Browser, address: str, client: Client, pages: Pages) -> list[str]:
    """Draw the pages as the session of `client` sees them; returns what is wrong with them."""
    person = Person(browser, address)
    for name, cookie in client.cookies.items():
        person.context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
    problems = []
    received: list[Response] = []
    person.page.on("response", lambda response: response.status in range(300, 400) or received.append(response))
    for name, path in pages.items():
        received.clear()
        person.open(path)
        assert person.page.url.partition("?")[0] == f"{address}{path}".partition("?")[0], f"{name} leads elsewhere"
        for width, scheme in looks():
            person.page.set_viewport_size({"width": width, "height": 800})
            person.page.emulate_media(color_scheme=scheme)
            person.page.evaluate("document.getAnimations().forEach((one) => one.finish())")
            shown = f"{name}-{width}-{scheme}"
            if WITH_PICTURES or width == DESKTOP:
                problems += [f"{shown}: {violation}" for violation in axe.violations(person.page)]
            if WITH_PICTURES:
                person.page.screenshot(path=FOLDER / f"{shown}.png", full_page=True)
            if person.overflow:
                problems.append(f"{shown}: wider than the window by {person.overflow} pixels")
        if weight_of(received) > HEAVIEST:
            problems.append(f"{name}: weighs {weight_of(received):,} bytes")
        if WITH_PICTURES:
            (FOLDER / f"{name}.html").write_bytes(received[0].body())  # the document comes before what it loads
        # What does not exist is answered with 404, which the browser tells as well.
        problems += [f"{name}: {complaint}" for complaint in person.complaints if "404" not in (name, complaint[:3])]
        person.complaints.clear()
    person.close()
    return problems


def weight_of(received: list[Response]) -> int:
    """The bytes of a page without its images: the document as it is, what it loads compressed as WhiteNoise does it."""
    kinds = {"document": bytes, "stylesheet": gzip.compress, "script": gzip.compress}
    return sum(
        len(kinds[one.request.resource_type](one.body())) for one in received if one.request.resource_type in kinds
    )


def everybodys() -> Pages:
    gig = Gig.objects.filter(seller__name="Theo Lindqvist").earliest("pk")
    waiting = SandboxCharge.objects.filter(status="action_needed").latest("pk")
    return {
        "home": "/",
        "browse": "/gigs/",
        "browse-nothing": "/gigs/?q=submarine",
        "gig": gig.get_absolute_url(),
        "seller": gig.seller.get_absolute_url(),
        "help": "/help/milestones/",
        "sign-in": "/accounts/login/",
        "sign-up": "/accounts/signup/",
        "reset": "/accounts/password/reset/",
        "bank": f"/sandbox/authenticate/{waiting.pk}/",
        "bank-account": f"/sandbox/bank/{SandboxPayoutAccount.objects.earliest('created_at').pk}/",
        "404": "/nothing/here/",
    }


def pages_of(user: User) -> Pages:
    name = user.name.split()[0].lower()
    pages = {
        f"order-{state_of(order)}-{order.side_of(user)}": order.get_absolute_url() for order in Order.objects.of(user)
    }
    pages |= {
        f"case-{case.kind}-{case.status}-{case.order.side_of(user)}": case.get_absolute_url()
        for case in Case.objects.of(user)
    }
    return pages | {
        "ana": buyers_pages,
        "mia": sellers_pages,
        "theo": newcomers_pages,
        "léa": withdrawing_pages,
        "ravi": unconnected_pages,
        "sam": support_pages,
        "fiona": finance_pages,
    }.get(name, no_more)(user)


def state_of(order: Order) -> str:
    """What tells this order from the others: frozen-delivered, in_progress, completed-stopped …"""
    if order.has_ended:
        return f"{order.status}-{order.closed_because}"
    current = order.current
    state = current.status if current else order.status if order.status == "offered" else "between"
    if current and current.status == Milestone.Status.AWAITING_PAYMENT and current.last_charge:
        state = f"{state}-{current.last_charge.status}"
    late = "late-" if current and current.is_late(clock.now()) else ""
    late = "very-late-" if current and current.is_very_late(clock.now()) else late
    more = "-again" if current and current.position > 1 else ""
    if Case.objects.filter(order=order, kind__in=PROPOSALS, status="open").exists():
        more += "-proposed"
    return f"{'frozen-' if order.paused_at else ''}{late}{state}{more}"


def buyers_pages(ana: User) -> Pages:
    gig = Gig.objects.filter(seller__name="Theo Lindqvist").earliest("pk")
    review = Milestone.objects.filter(order__buyer=ana, status="delivered", position=2).latest("pk")
    address = review.order.get_absolute_url()
    picture = review.order.attachments.filter(content_type="image/png").latest("pk")
    text = review.order.attachments.filter(content_type="text/plain").latest("pk")
    stopped = Order.objects.filter(buyer=ana, closed_because="stopped").latest("pk")
    offered = Order.objects.filter(buyer=ana, status="offered").latest("pk")
    works = Milestone.objects.filter(order__buyer=ana, status="in_progress", order__seller__name="Mia Tanaka").latest(
        "pk"
    )
    return {
        "orders": "/orders/",
        "notices": "/notifications/",
        "notices-by-mail": "/notifications/preferences/",
        "documents": "/documents/",
        "receipt": f"/documents/{Document.objects.filter(recipient=ana).latest('pk')}/",
        "profile": "/profile/",
        "your-data": "/profile/data/",
        "devices": "/profile/devices/",
        "close": "/profile/close/",
        "checkout": f"{gig.get_absolute_url()}order/",
        "ask": f"{gig.get_absolute_url()}ask/",
        "act-continue": f"{address}milestones/{review.pk}/continue/",
        "act-revise": f"{address}milestones/{review.pk}/revise/",
        "act-accept": f"{address}milestones/{review.pk}/accept/",
        "act-refused": f"{works.order.get_absolute_url()}milestones/{works.pk}/accept/",
        "act-again": f"{stopped.get_absolute_url()}again/",
        "act-place": f"{offered.get_absolute_url()}place/",
        "compare": f"{address}milestones/{review.pk}/compare/",
        "file-picture": f"{address}files/{picture.pk}/view/",
        "file-text": f"{address}files/{text.pk}/view/",
        "cases": f"{address}cases/",
        "open-cancel-milestone": f"{address}cases/cancel-milestone/",
        "open-cancel-order": f"{address}cases/cancel-order/",
        "open-partial-refund": f"{address}cases/partial-refund/",
        "open-extra-revisions": f"{address}cases/extra-revisions/",
        "open-change-upcoming": f"{address}cases/change-upcoming/",
        "open-refused": f"{address}cases/extend/",
        "open-extend": f"{works.order.get_absolute_url()}cases/extend/",
        "second-factor-none": SECOND_FACTOR,
        "second-factor-set-up": f"{SECOND_FACTOR}totp/activate/",
        "is-it-you": "/accounts/reauthenticate/",
    }


def sellers_pages(mia: User) -> Pages:
    asked = OfferRequest.objects.filter(seller=mia, offer=None).latest("pk")
    offered = Order.objects.filter(seller=mia, status="offered").latest("pk")
    return {
        "selling": "/selling/",
        "sales": "/sales/",
        "earnings": "/earnings/",
        "statements": "/earnings/statements/",
        "statement": f"/earnings/statements/{clock.now().year}/",
        "withdraw-refused": "/earnings/withdraw/USD/",
        "withdraw-cancel": f"/earnings/withdrawals/{Withdrawal.objects.filter(owner=mia).latest('pk').pk}/cancel/",
        "offer": f"/offers/new/?request={asked.pk}",
        "offer-edit": f"{offered.get_absolute_url()}offer/",
        "my-gigs": "/selling/gigs/",
        "gig-edit": f"/selling/gigs/{Gig.objects.filter(seller=mia).earliest('pk').slug}/edit/",
    }


def newcomers_pages(theo: User) -> Pages:
    return {
        "gig-new": "/selling/gigs/new/",
        "gig-example": "/selling/gigs/new/?example=logo-design",
        "orders-empty": "/orders/",
        "gig-mine": Gig.objects.filter(seller=theo).earliest("pk").get_absolute_url(),
    }


def withdrawing_pages(lea: User) -> Pages:
    return {"withdraw": "/earnings/withdraw/USD/", "debt": "/earnings/debt/USD/"}


def unconnected_pages(ravi: User) -> Pages:
    return {"earnings-without-bank": "/earnings/"}


def finance_pages(fiona: User) -> Pages:
    waiting = Withdrawal.objects.filter(status="requested").latest("pk")
    return {
        "admin-withdrawals": "/admin/payments/withdrawal/",
        "admin-withdrawal": f"/admin/payments/withdrawal/{waiting.pk}/change/",
        "admin-withdrawal-decide": f"/admin/payments/withdrawal/{waiting.pk}/decide/",
        "admin-limit": f"/admin/payments/withdrawallimit/{WithdrawalLimit.objects.get(currency='USD').pk}/change/",
    }


def support_pages(sam: User) -> Pages:
    extension = Case.objects.filter(kind="extend", status="open").latest("pk")
    dispute = Case.objects.filter(status="escalated").latest("pk")
    delivered = Milestone.objects.filter(status="delivered", order__paused_at=None).latest("pk")
    file = Attachment.objects.filter(order=dispute.order).latest("pk")
    case, order = "/admin/resolution/case/", "/admin/orders/order/"
    return {
        "admin-home": "/admin/",
        "admin-orders": order,
        "admin-order": f"{order}{extension.order_id}/change/",
        "admin-cases": case,
        "admin-case-extend": f"{case}{extension.pk}/change/",
        "admin-case-dispute": f"{case}{dispute.pk}/change/",
        **{f"admin-rule-{name}": f"{case}{dispute.pk}/rule/{name}/" for name in ("split", "extend", "dismiss")},
        "admin-rule-without-case": f"{order}{delivered.order_id}/rule/cancel_order/",
        "admin-open-case": f"{order}{delivered.order_id}/open-case/",
        "admin-on-behalf-accept": f"{order}{delivered.order_id}/on-behalf/accept/",
        "admin-on-behalf-refused": f"{order}{delivered.order_id}/on-behalf/deliver/",
        "admin-on-behalf-case": f"{order}{extension.order_id}/cases/{extension.pk}/on-behalf/decline/",
        "admin-on-behalf-opening": f"{order}{delivered.order_id}/on-behalf/open/buyer/partial_refund/",
        "admin-withhold": f"{order}{dispute.order_id}/files/{file.pk}/withhold/",
        "second-factor": SECOND_FACTOR,
        "second-factor-codes": f"{SECOND_FACTOR}recovery-codes/",
        "second-factor-new-codes": f"{SECOND_FACTOR}recovery-codes/generate/",
        "second-factor-removal": f"{SECOND_FACTOR}totp/deactivate/",
        "second-factor-again": f"{SECOND_FACTOR}reauthenticate/",
    }


def no_more(user: User) -> Pages:
    return {}
