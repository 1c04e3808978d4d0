"""Every page as it looks: on each, axe finds nothing, nothing is wider than the window and the browser says nothing.

The data are the demo's. Every day axe looks at each page on a desktop in light, and a phone's width is measured.
With GALLERY=1 axe looks at it in both schemes at both widths, and pictures of all of it are written to var/gallery/. A
page is opened once: its look follows the window and the preferred scheme without a script.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog.models import Gig
from marketplace.demo import disputes, people, purses, stories
from marketplace.tests import axe
from marketplace.tests.browsing import DESKTOP, PHONE, Person
from orders.models import Milestone, OfferRequest, Order
from payments import services
from payments.models import Document, SandboxCharge, SandboxPayoutAccount, Withdrawal, WithdrawalLimit
from resolution.models import Case

pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = Path(settings.VAR_DIR) / "gallery"
WITH_PICTURES = bool(os.environ.get("GALLERY"))
Pages = dict[str, str]


def test_every_page_can_be_shown(browser: Browser, live_server: LiveServer) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    cast = people.settle_in()
    stories.tell(cast, clock.now())
    disputes.tell(cast, clock.now())
    purses.fill(cast, clock.now())
    services.issue_documents(clock.now())
    problems = photograph(browser, live_server.url, None, everybodys())
    for user in (*cast.people.values(), cast.support, cast.finance, cast.admin):
        problems += photograph(browser, live_server.url, user, pages_of(user))
    assert problems == [], "\n".join(problems)


def looks() -> Iterator[tuple[int, Literal["light", "dark"]]]:
    yield DESKTOP, "light"
    yield PHONE, "light"
    if WITH_PICTURES:
        yield DESKTOP, "dark"
        yield PHONE, "dark"


def photograph(browser: Browser, address: str, user: User | None, pages: Pages) -> list[str]:
    """Draw the pages as `user` sees them; returns what is wrong with them."""
    person = Person(browser, address)
    if user:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        person.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
    problems = []
    for name, path in pages.items():
        person.open(path)
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
        # What does not exist is answered with 404, which the browser tells as well.
        problems += [f"{name}: {complaint}" for complaint in person.complaints if "404" not in (name, complaint[:3])]
        person.complaints.clear()
    person.close()
    return problems


def everybodys() -> Pages:
    gig = Gig.objects.get(seller__name="Theo Lindqvist")
    waiting = SandboxCharge.objects.get(status="action_needed")
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
        f"case-{case.status}-{case.order.side_of(user)}": case.get_absolute_url() for case in Case.objects.of(user)
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
    return f"{'frozen-' if order.paused_at else ''}{late}{state}{more}"


def buyers_pages(ana: User) -> Pages:
    gig = Gig.objects.get(seller__name="Theo Lindqvist")
    review = Milestone.objects.get(order__buyer=ana, status="delivered", position=2)
    address = review.order.get_absolute_url()
    stopped = Order.objects.get(buyer=ana, closed_because="stopped")
    offered = Order.objects.get(buyer=ana, status="offered")
    works = Milestone.objects.get(order__buyer=ana, status="in_progress", order__seller__name="Mia Tanaka")
    return {
        "orders": "/orders/",
        "notices": "/notifications/",
        "documents": "/documents/",
        "receipt": f"/documents/{Document.objects.filter(recipient=ana).latest('pk')}/",
        "profile": "/profile/",
        "checkout": f"{gig.get_absolute_url()}order/",
        "ask": f"{gig.get_absolute_url()}ask/",
        "act-continue": f"{address}milestones/{review.pk}/continue/",
        "act-revise": f"{address}milestones/{review.pk}/revise/",
        "act-accept": f"{address}milestones/{review.pk}/accept/",
        "act-refused": f"{works.order.get_absolute_url()}milestones/{works.pk}/accept/",
        "act-again": f"{stopped.get_absolute_url()}again/",
        "act-place": f"{offered.get_absolute_url()}place/",
        "cases": f"{address}cases/",
        "case-cancel": f"{address}cases/cancel-milestone/",
        "case-refund": f"{address}cases/partial-refund/",
        "case-change": f"{address}cases/change-upcoming/",
        "case-refused": f"{address}cases/extend/",
    }


def sellers_pages(mia: User) -> Pages:
    asked = OfferRequest.objects.get(seller=mia, offer=None)
    offered = Order.objects.get(seller=mia, status="offered")
    return {
        "sales": "/sales/",
        "earnings": "/earnings/",
        "statements": "/earnings/statements/",
        "statement": f"/earnings/statements/{clock.now().year}/",
        "withdraw-refused": "/earnings/withdraw/USD/",
        "withdraw-cancel": f"/earnings/withdrawals/{Withdrawal.objects.filter(owner=mia).latest('pk').pk}/cancel/",
        "offer": f"/offers/new/?request={asked.pk}",
        "offer-edit": f"{offered.get_absolute_url()}offer/",
        "my-gigs": "/selling/gigs/",
        "gig-edit": f"/selling/gigs/{Gig.objects.get(seller=mia).slug}/edit/",
    }


def newcomers_pages(theo: User) -> Pages:
    return {
        "gig-new": "/selling/gigs/new/",
        "gig-example": "/selling/gigs/new/?example=logo-design",
        "orders-empty": "/orders/",
        "gig-mine": Gig.objects.get(seller=theo).get_absolute_url(),
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
    case = Case.objects.latest("pk")
    return {
        "admin-orders": "/admin/orders/order/",
        "admin-order": f"/admin/orders/order/{case.order_id}/change/",
        "admin-cases": "/admin/resolution/case/",
        "admin-case": f"/admin/resolution/case/{case.pk}/change/",
        "admin-cancel": f"/admin/orders/order/{case.order_id}/rule/cancel_order/",
    }


def no_more(user: User) -> Pages:
    return {}
