"""What the two sides do by the pages that they see, each act beside what the small model of the rules says of it.

The order, the model and what is true are those of `any_marketplace`. Here whoever acts opens a page, finds the form on
it, fills it in and sends it; or sends one that was left open since; or sends what no page offers just now.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from urllib.parse import urljoin

from django.urls import reverse

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.tests.any_marketplace import CARDS, KINDS, AnyMarketplace, Cast, wish
from marketplace.tests.doors.walking import rows
from marketplace.tests.model_of_cases import Asked, Marketplace
from marketplace.tests.model_of_rules import OFFER
from marketplace.tests.visitor import Page, Values, Visitor
from orders import services as orders
from orders.actions import WHO, url_of
from orders.guards import Refusal, Refused
from orders.models import Order
from orders.tests.factories import fresh
from resolution import services as cases
from resolution.models import Reason
from resolution.tests.factories import CITED

Predict = Callable[[Marketplace], bool]
Act = Callable[["PagesOfMarketplace"], None]
# How the address of each button ends.
ENDS = {
    "accept_and_continue": "continue",
    "request_revision": "revise",
    "grant_revisions": "grant",
    "edit_offer": "offer",
}
BUTTONS = {name: side for name, side in WHO.items() if name != "order_again"}
PAYING = ("place", "pay", "start", "accept_and_continue")
# What ends the order early is pressed more seldom, or no path would come far.
FINAL = ("decline", "withdraw", "edit_offer", "stop")
ANSWERS = ("accept", "decline", "withdraw", "escalate")
DOORS_OF_SIGN_IN = ("/accounts/login/", "/admin/login/")


def pressed(model: Marketplace, name: str, card: str) -> bool:
    """What the model says of a button of the order's page; allowed, it is done there."""
    if name == "accept_and_continue":
        return model.accept(to_continue=True) and model.start(card)
    if name == "edit_offer":
        if model.status == "offered":
            model.decide_by = model.now + OFFER
        return model.status == "offered"
    if name == "grant_revisions":
        return model.grant_revisions(1)
    verb: Callable[..., bool] = getattr(model, {"withdraw": "withdraw_offer"}.get(name, name))
    return verb(card) if name in PAYING else verb()


class PagesOfMarketplace(AnyMarketplace):
    """The same order and the same model; who acts looks at a page and sends its form."""

    def __init__(self, cast: Cast) -> None:
        super().__init__(cast)
        order = self.order
        self.people: dict[str, User | None] = {"buyer": order.buyer, "seller": order.seller, "support": self.agent}
        self.people |= {"finance": self.finance, "stranger": self.stranger, "nobody": None}
        self.browsers: dict[str, Visitor] = {}
        self.left_open: dict[str, tuple[str, Values]] = {}
        self.stale = 0

    def browser(self, who: str) -> Visitor:
        if who not in self.browsers:
            self.browsers[who] = Visitor(self.people[who])
        return self.browsers[who]

    def see(self, who: str, address: str) -> Page:
        with clock.at(self.now):
            page = self.browser(who).open(address)
        assert page.status in (200, 403, 404, 409), f"{who} at {address}: {page.status}"
        return page

    def signs_in_anew(self) -> None:
        """After an account was deactivated its sessions are over, also when it is active again."""
        self.browsers.pop("buyer", None)

    # Sending

    def post(self, who: str, address: str, values: Values) -> None:
        """Raises `Refused` for whatever is no success: 4xx, or the door of sign-in."""
        browser = self.browser(who)
        response = browser.client.post(address, values, follow=True)
        if response.status_code == 405:  # answered without a page
            raise Refused(Refusal(f"405 {address}"))
        page = browser._see(response, address)
        assert page.status < 500
        # Whoever has answered at the bank's page is led on to the order's, which asks strangers to sign in.
        led = response.redirect_chain[0][0] if response.redirect_chain else page.path
        if page.status >= 400 or led.startswith(DOORS_OF_SIGN_IN):
            raise Refused(Refusal(f"{page.status} {page.path}"))
        assert response.redirect_chain, f"{who} sent {values} to {address}, which answers {page.status}"

    def send(
        self, what: str, who: str, address: str, values: Values, predict: Predict, *, on_order: bool = True
    ) -> bool:
        """Post the form as `who`, and compare: allowed as the model says and if it is not stale; refused, no change."""
        seen = int(values.get("version") or 0)
        by_a_side = on_order and who in ("buyer", "seller")
        self.browser(who)  # signing in writes rows too
        if on_order and self.chance.random() < 0.5:
            self.settle()
        owes, before, refused = self.owes_anything, (rows(), self.version), False

        def verb() -> None:
            nonlocal refused
            try:
                self.post(who, address, values)
            except Refused:
                refused = True
                if owes:  # a page that had nothing to do leaves it to the sweep
                    self.clock_works()
                raise

        def predicted(model: Marketplace) -> bool:
            if refused and owes:
                self.clock_works_in_model()
            unchanged = rows() == before[0] if refused and not owes else True
            assert unchanged, f"{what} was refused at {self.now}, and changed something"
            if seen and (seen != before[1] or (refused and owes and seen != self.version)):
                self.stale += 1
                return False
            return predict(model)

        return self.act(f"{what} ({who})", predicted, verb, by_a_side=by_a_side, on_order=on_order)

    # The clock

    def cases_first(self) -> None:
        """The pages do that by themselves (O7)."""

    @property
    def owes_anything(self) -> bool:
        model = deepcopy(self.model)
        model.now = self.now
        model.settle_cases()
        model.lapse_if_overdue()
        return (model.status, model.decide_by, [case.status for case in model.cases]) != (
            self.model.status,
            self.model.decide_by,
            [case.status for case in self.model.cases],
        )

    def settle(self) -> None:
        self.model.now = self.now
        with clock.at(self.now):
            self.clock_works()
        self.clock_works_in_model()

    def clock_works(self) -> None:
        """All that is owed: the end of one case may make others void."""
        for _ in range(3):
            cases.settle_cases_of(self.order.number)
            orders.settle(self.order.pk)

    def clock_works_in_model(self) -> None:
        for _ in range(3):
            self.model.settle_cases()
            self.model.lapse_if_overdue()

    def would(self, predict: Predict) -> bool:
        model = deepcopy(self.model)
        model.now = self.now
        return predict(model)

    @property
    def version(self) -> int:
        return Order.objects.values_list("version", flat=True).get(pk=self.order.pk)

    def keep_or_take(self, key: str, address: str, values: Values) -> tuple[str, Values]:
        """Mostly what was just drawn, which is left open in a second window; now and then what was left there."""
        kept = self.left_open.get(key)
        if kept and self.chance.random() < 0.25:
            return kept
        if not kept or self.chance.random() < 0.5:
            self.left_open[key] = (address, values)
        return address, values


# Reading pages


def form_to(page: Page, address: str) -> Values | None:
    """What a browser would send of the form on this page that leads there; None without one."""
    for form in page.all("form"):
        if form.get("method") == "post" and urljoin(page.path, form.get("action") or page.path) == address:
            return dict(page._values(form))
    return None


def leads(page: Page) -> set[str]:
    """Every address that a link or a form of the page leads to."""
    links = [one.get("href", "") for one in page.all("a")]
    return {urljoin(page.path, link) for link in [*links, *(one.get("action", "") for one in page.all("form"))] if link}


def filled(values: Values, typed: Values) -> Values:
    """The form with what was typed into those of its fields that it shows."""
    return values | {name: text for name, text in typed.items() if name in values}


def in_money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


# The buttons of an order


def offered(world: PagesOfMarketplace, page: Page) -> dict[str, str]:
    """The order's buttons that this page offers, with their addresses."""
    button = re.compile(rf"/orders/{world.order.number}/(?:milestones/\d+/)?([a-z]+)/")
    names = {ENDS.get(name, name): name for name in BUTTONS}
    ends = {address: match[1] for address in leads(page) if (match := button.fullmatch(address))}
    return {names[end]: address for address, end in ends.items() if end in names}


def press(world: PagesOfMarketplace) -> None:
    """Look at the order, which offers exactly what the rules allow; press a button, or send what it does not offer."""
    chance, card, order = world.chance, world.chance.choice(CARDS), fresh(world.order)
    can = [whose for name, whose in sorted(BUTTONS.items()) if world.would(partial(pressed, name=name, card=card))]
    side = chance.choice(can if can and chance.random() < 0.8 else ("buyer", "seller"))
    page = world.see(side, order.get_absolute_url())
    if page.path.startswith(DOORS_OF_SIGN_IN):
        assert not (side == "buyer" and world.model.buyer_is_active)
        return
    buttons = offered(world, page)
    if not world.owes_anything:
        allowed = {
            name
            for name, whose in BUTTONS.items()
            if whose == side and world.would(partial(pressed, name=name, card=card))
        }
        assert set(buttons) == allowed, f"the {side}'s page at {world.now} offers {buttons}, the rules {allowed}"
    likely = sorted(name for name in buttons if name not in FINAL or chance.random() < 0.15)
    name = chance.choice(likely) if likely and chance.random() < 0.8 else chance.choice(sorted(BUTTONS))
    address = buttons.get(name) or url_of(order, name)
    form = form_to(page, address) or form_to(world.see(side, address), address)
    assert form is not None or name not in buttons, f"{address} has no form"
    typed = {"version": str(order.version), "method": card, "text": "Bluer.", "message": "Here it is.", "count": "1"}
    values = typed if form is None else filled(form, {**typed, "version": form["version"]})
    address, values = world.keep_or_take(f"{side} {name}", address, values)
    card = values.get("method", card)

    def predict(model: Marketplace) -> bool:
        if BUTTONS[name] != side or (side == "buyer" and not model.buyer_is_active):
            return False
        allowed = pressed(model, name, card)
        if allowed and name in PAYING:
            world.go_through_steps(model, "")
        return allowed

    world.send(f"{name} {card}", side, address, values, predict)


# The Resolution Center


def kinds_shown(world: PagesOfMarketplace, side: str) -> None:
    """The list offers the kinds of cases that the rules allow for some reason and some amount."""
    page = world.see(side, reverse("resolution:open", args=[world.order.number]))
    shown = {kind for kind in KINDS if opening(world, kind) in leads(page)}
    allowed = set()
    for kind in KINDS:
        least = [
            Asked(kind, price=1, days=1, revisions=1, is_about_lateness=late, adds=adds)
            for late in (False, True)
            for adds in (False, True)
        ]
        if any(world.would(partial(opened_in_model, asked=asked, side=side)) for asked in least):
            allowed.add(kind)
    assert shown == allowed, f"the {side} at {world.now} is offered {shown}, by the rules {allowed}"


def opened_in_model(model: Marketplace, asked: Asked, side: str) -> bool:
    return model.open_case(asked, side)


def opening(world: PagesOfMarketplace, kind: str) -> str:
    return reverse("resolution:open_kind", args=[world.order.number, kind.replace("_", "-")])


def open_case(world: PagesOfMarketplace) -> None:
    chance, kind = world.chance, world.chance.choice(KINDS)
    side = chance.choice(("buyer", "seller"))
    if side == "buyer" and not world.model.buyer_is_active:
        return
    if not world.owes_anything:
        kinds_shown(world, side)
    asked, address = wish(world, kind), opening(world, kind)
    code = "seller_late" if asked.is_about_lateness else CITED.get(kind, "agreed_by_both")
    form = form_to(world.see(side, address), address)
    typed = {
        "reason": str(Reason.objects.get(code=code).pk),
        "statement": "Because.",
        "amount": in_money(asked.price),
        "days": str(asked.days),
        "revisions": str(asked.revisions),
    }
    values = filled(form, typed) if form else {**typed, "version": str(world.version)}
    if kind == "change_upcoming":
        values |= plan_of(values, adds=asked.adds)
    world.send(f"opens {asked}", side, address, values, lambda model: model.open_case(asked, side))


def plan_of(values: Values, *, adds: bool) -> Values:
    """The rows of the plan with one more at the end, or without the last one."""
    total = next((name for name in values if name.endswith("TOTAL_FORMS")), "")
    rows_now = int(values.get(total) or 0)
    if not total:
        return {}
    prefix = total.removesuffix("TOTAL_FORMS")
    while rows_now and not values.get(f"{prefix}{rows_now - 1}-title"):
        rows_now -= 1  # the empty row that is shown when nothing is upcoming
    if not adds:
        dropped = {total: str(rows_now - 1)}
        return dropped | ({"drop_all": "on"} if rows_now == 1 else {})
    row = {"title": "Poster", "description": "", "price": "80.00", "delivery_days": "3", "revisions": "1"}
    return {total: str(rows_now + 1), **{f"{prefix}{rows_now}-{name}": text for name, text in row.items()}}


def answer(world: PagesOfMarketplace) -> None:
    """Answer a case on its page, which offers exactly what the rules allow."""
    found = world.a_case()
    side = world.chance.choice(("buyer", "seller"))
    if found is None or (side == "buyer" and not world.model.buyer_is_active):
        return
    case, place = found[0], world.model.cases.index(found[1])
    page = world.see(side, case.get_absolute_url())
    addresses = {name: reverse(f"resolution:{name}", args=[case.number]) for name in ANSWERS}

    def answered(model: Marketplace, name: str) -> bool:
        verb: Callable[..., bool] = getattr(model, f"{name}_case")
        return verb(model.cases[place], side)

    shown = {name for name in ANSWERS if form_to(page, addresses[name]) is not None}
    if not world.owes_anything:
        allowed = {name for name in ANSWERS if world.would(partial(answered, name=name))}
        assert shown == allowed, f"{case} at {world.now} offers the {side} {shown}, the rules {allowed}"
    name = world.chance.choice(sorted(shown) if shown and world.chance.random() < 0.8 else ANSWERS)
    form = form_to(page, addresses[name]) or {"version": str(world.version), "text": ""}
    values = filled(form, {"text": "As I said."})
    address, values = world.keep_or_take(f"{side} {name} {case.number}", addresses[name], values)
    world.send(f"{name} {world.model.cases[place].name}", side, address, values, partial(answered, name=name))
