"""What support, finance, strangers, nobody and the bank do by pages, each beside what the small model says of it."""

from django.urls import reverse

from marketplace import clock
from marketplace.tests import others_in_marketplace as others
from marketplace.tests.any_marketplace import LEAST, come_and_go, wish
from marketplace.tests.any_page import Act, PagesOfMarketplace, answer, form_to, in_money, open_case, press
from marketplace.tests.model_of_cases import Asked, Marketplace
from marketplace.tests.visitor import Values
from orders.actions import WHO, url_of
from orders.tests.factories import fresh
from payments.models import Charge, SandboxCharge, Withdrawal
from payments.money import plain
from resolution.models import Reason
from resolution.models.choices import Ruling

# Support (R6): first what will happen, then the ruling itself


def rule(world: PagesOfMarketplace) -> None:
    chance, found = world.chance, world.a_case() if world.chance.random() < 0.7 else None
    name = chance.choice([*Ruling.values, "dismiss"] if found else Ruling.values)
    asked = Asked("dismiss") if name == "dismiss" else wish(world, name)
    place = world.model.cases.index(found[1]) if found else None
    on = ("resolution_case_rule", found[0].pk) if found else ("orders_order_rule", world.order.pk)
    address = reverse(f"admin:{on[0]}", args=[on[1], name])

    def predict(model: Marketplace) -> bool:
        if place is None:
            return model.rule_without_case(asked)
        case = model.cases[place]
        return model.dismiss(case) if name == "dismiss" else model.rule(case, asked)

    typed: Values = {
        "reason": str(Reason.objects.get(code="agreed_by_both").pk),
        "note": "We looked.",
        "price": in_money(asked.price),
        "days": str(asked.days),
    }
    page = world.see("support", address)
    if form_to(page, address) is None:
        values = {**typed, "version": str(world.version), "confirm": "yes"}
    else:
        with clock.at(world.now):
            page = world.browser("support").post(address, typed)
        rehearsed = form_to(page, address) if page.status == 200 else None
        assert world.owes_anything or (rehearsed is not None) == world.would(predict), f"{page.status} for {asked}"
        values = {**(rehearsed or {**typed, "version": str(world.version)}), "confirm": "yes"}
    address, values = world.keep_or_take(f"rule {address}", address, values)
    price, days = values.get("price", ""), int(values.get("days") or 0)
    asked.price, asked.days = (round(float(price.replace(",", "")) * 100) if price else 0), days
    world.send(f"rules {asked}", "support", address, values, predict)


def look_into(world: PagesOfMarketplace) -> None:
    kind = world.chance.choice(("cancel_milestone", "cancel_order"))
    address = reverse("admin:orders_order_open_case", args=[world.order.pk])
    form = form_to(world.see("support", address), address)
    values = {
        "version": str(world.version),
        **(form or {}),
        "kind": kind,
        "reason": str(Reason.objects.get(code="fraud_or_abuse").pk),
        "statement": "Reported.",
    }
    address, values = world.keep_or_take("looks into", address, values)
    world.send("looks into it", "support", address, values, lambda model: model.open_by_support(values["kind"]))


# Whom none of it concerns


def knock(world: PagesOfMarketplace) -> None:
    """Strangers and nobody find no order and no case; who pays out decides no case, and who decides pays nobody out."""
    chance, order = world.chance, fresh(world.order)
    who = chance.choice(("stranger", "nobody", "finance", "support"))
    doors = [order.get_absolute_url(), *(url_of(order, name) for name in WHO)]
    doors += [reverse("resolution:open", args=[order.number])]
    for case in order.cases.all():
        doors += [reverse(f"resolution:{name}", args=[case.number]) for name in ("accept", "decline", "withdraw")]
        doors += [reverse("admin:resolution_case_rule", args=[case.pk, "complete"])] if who != "support" else []
    if who != "support":
        doors += [reverse("admin:orders_order_rule", args=[order.pk, "cancel_order"])]
    if who != "finance":
        asked = Withdrawal.objects.filter(owner=order.seller).last()
        doors += [reverse("admin:payments_withdrawal_decide", args=[asked.pk])] if asked else []
    values = {"version": str(order.version), "method": "card_ok", "text": "Mine.", "message": "Mine.", "confirm": "yes"}
    values |= {"reason": str(Reason.objects.get(code="agreed_by_both").pk), "note": "Mine.", "approve": "yes"}
    world.settle()
    world.send("knocks", who, chance.choice(doors), values, lambda _: False)


# Money and banks


def withdraw_money(world: PagesOfMarketplace) -> None:
    """M6: what is available, and no more; at least what the site's help says."""
    amount, owner = world.chance.choice((999, 1_000, 7_999, 9_876, 20_000)), world.order.seller
    asked = Withdrawal.objects.filter(owner=owner).exclude(status__in=("rejected", "canceled", "failed"))
    left = sum(step.seller for step in world.model.steps) - sum(asked.values_list("amount", flat=True))
    if world.lost or world.taken or asked.filter(status="requested").exists():
        return
    address = reverse("payments:withdraw", args=["USD"])
    values = {"amount": plain(amount, "USD"), "confirm": "yes"}
    possible = LEAST <= amount <= left
    world.send(f"withdraws {amount}", "seller", address, values, lambda _: possible, on_order=False)


def decide_withdrawal(world: PagesOfMarketplace) -> None:
    """M6: finance lets it go or not; a second decision about the same withdrawal is refused."""
    asked = Withdrawal.objects.filter(owner=world.order.seller).order_by("-pk").first()
    if asked is None or world.lost or world.taken:
        return
    is_open, answer = asked.status == "requested", world.chance.choice(("approve", "reject"))
    address = reverse("admin:payments_withdrawal_decide", args=[asked.pk])
    values = {"reason": "Who are you?", answer: "yes"}
    world.send(f"{answer} {asked.pk}", "finance", address, values, lambda _: is_open, on_order=False)


def answer_bank(world: PagesOfMarketplace) -> None:
    """The buyer confirms on the bank's page, or does not; the bank tells us at once."""
    waiting = SandboxCharge.objects.filter(status="action_needed").order_by("created_at").last()
    if waiting is None:
        return
    address = reverse("payments:sandbox_authenticate", args=[waiting.pk])
    page, charge = world.see("nobody", address), Charge.objects.get(key=waiting.key)
    said = world.chance.choice(("approve", "approve", "decline"))

    def predict(model: Marketplace) -> None:
        step, attempt = world.attempt_of(charge)
        attempt.bank, attempt.was_told = "succeeded" if said == "approve" else "failed", True
        model.event_arrives(step, attempt)

    values = {**(form_to(page, address) or {}), "answer": said}
    others.swept(world, f"at the bank: {said}", predict, lambda: world.post("nobody", address, values))


def goes_or_comes(world: PagesOfMarketplace) -> None:
    if world.chance.random() < 0.3 or not world.model.buyer_is_active:
        come_and_go(world)
        world.signs_in_anew()


OF_OTHERS: dict[str, Act] = {
    act.__name__: act for act in (rule, look_into, knock, withdraw_money, decide_withdrawal, answer_bank, goes_or_comes)
}
# Nobody has a page for these: what the clock does, and what banks and the provider send.
BY_THEMSELVES: dict[str, Act] = {
    **others.SWEEPS,
    "again": others.event_comes_again,
    "forged": others.forged_event,
    "taken back": others.take_back,
    "decided": others.decide_chargeback,
}
MOSTLY: tuple[Act, ...] = (press,) * 12 + (open_case,) * 3 + (answer,) * 4 + (rule, rule, answer_bank)


def something(world: PagesOfMarketplace) -> None:
    """What leads somewhere, mostly; else anything that anybody can do."""
    if world.chance.random() < 0.75:
        world.chance.choice(MOSTLY)(world)
    else:
        world.chance.choice([*OF_OTHERS.values(), *BY_THEMSELVES.values()])(world)
