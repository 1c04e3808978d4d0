"""The page of an order, and the parts by which it keeps itself up to date (P2)."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from marketplace.order_activity import Asked, activity_of, news_of
from marketplace.order_live import State, state_of
from marketplace.order_page import order_context
from marketplace.order_reading import facts_of, whole_order
from marketplace.templatetags.words import iso
from orders.models import Order
from orders.views.acting import order_of
from orders.views.parts import part_of_order

# What htmx understands as «do not ask again».
STOP_ASKING = 286


@login_required
@require_safe
def order_page(request: SignedInRequest, number: str) -> HttpResponse:
    """One page for both sides of an order: what is next, until when, and where every cent is (P2).

    `show` and `before` in the address choose of the activity, `talk=all` shows the whole conversation.
    """
    now = clock.now()
    # Before the rest is read: what happens meanwhile is news to the page, and is asked for again.
    facts = facts_of(number, request.user, now)
    order = whole_order(number, request.user)
    whole_talk = request.GET.get("talk") == "all"
    context = order_context(order, facts, request.user, now, Asked.by(request.GET), whole_talk=whole_talk)
    return render(request, "orders/order.html", context)


@part_of_order
def order_changes(request: SignedInRequest, number: str) -> HttpResponse:
    """The parts of the page anew when the state is another than `seen`; 204 when nothing changed, for one query.

    Ended orders are answered by 286: the page stops asking. Each answer tells the server's instant to the countdowns.
    """
    now = clock.now()
    state = state_of(number, request.user, now)
    if state is None:
        raise Http404
    seen = State.read_from(request.GET.get("seen", ""))
    if seen == state:
        response = HttpResponse(status=STOP_ASKING if state.ended else 204, headers={"HX-Reswap": "none"})
    else:
        facts = facts_of(number, request.user, now)
        state = facts.state
        order = whole_order(number, request.user)
        whole_talk = request.GET.get("talk") == "all"
        asked = Asked.by(request.GET)
        context = order_context(order, facts, request.user, now, asked, seen=seen, whole_talk=whole_talk) | {
            "oob": True,
            "news": _news(request, order, seen, state),
        }
        status = STOP_ASKING if state.ended else 200
        response = render(request, "orders/_changes.html", context, status=status)
    response["X-Now"] = iso(now)
    return response


@part_of_order
def order_activity(request: SignedInRequest, number: str) -> HttpResponse:
    """The activity of one filter, or with `before` the page of older events that goes below what is shown."""
    order = order_of(request, number)
    asked = Asked.by(request.GET)
    context = {"order": order, "activity": activity_of(order, request.user, asked)}
    return render(request, f"orders/_{'older' if asked.before else 'activity'}.html", context)


def _news(request: SignedInRequest, order: Order, seen: State | None, state: State) -> list[str]:
    """What is read out when parts of the page are replaced: what others did and wrote since."""
    if seen is None:
        return []
    news = news_of(order, request.user, after=seen.event) if state.event > seen.event else []
    written = order.messages.filter(pk__gt=seen.message).exclude(author=request.user).select_related("author").last()
    if written and written.author_id in (order.buyer_id, order.seller_id):
        news.append(_("{name} wrote to you.").format(name=written.author.name))
    elif written:
        news.append(_("Customer Support wrote to you."))
    if not news and state.passed > seen.passed:
        news.append(_("The time has run out."))
    return news
