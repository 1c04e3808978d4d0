"""What was delivered, shown in the page: one file, or two deliveries side by side."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from marketplace.accounts.requests import SignedInRequest
from orders.comparing import Pair, Text, paired, read_text
from orders.models import Attachment, Delivery, Order
from orders.views.files import file_to_see, order_to_see


@login_required
@require_safe
def view_file(request: SignedInRequest, number: str, pk: int) -> HttpResponse:
    """A file of the order, as far as it can be shown safely, with its neighbors in the same delivery or message."""
    file = file_to_see(request, number, pk)
    order = file.order
    together = _together(file)
    place = together.index(file)
    context = _context(request, order) | {
        "file": file,
        "text": _text(file),
        "place": place + 1,
        "count": len(together),
        "before": together[place - 1] if place else None,
        "after": together[place + 1] if place + 1 < len(together) else None,
        "comparable": bool(file.delivery and file.delivery.number > 1),
    }
    return render(request, "orders/file.html", context)


@login_required
@require_safe
def compare(request: SignedInRequest, number: str, pk: int) -> HttpResponse:
    """Two deliveries of a milestone next to each other: the last two, or those that `left` and `right` number."""
    order = order_to_see(request, number)
    milestone = get_object_or_404(order.milestones, pk=pk)
    deliveries = list(milestone.deliveries.select_related("delivered_by"))
    right = _chosen(deliveries, request.GET.get("right", ""), deliveries[-1:])
    before = [delivery for delivery in deliveries if right and delivery.number < right.number]
    left = _chosen(deliveries, request.GET.get("left", ""), before[-1:])
    pairs: list[Pair] = []
    if left and right and left != right:
        files = order.attachments.filter(delivery__in=(left, right))
        sides = [[file for file in files if file.delivery_id == side.pk] for side in (left, right)]
        pairs = paired(*sides)
    context = _context(request, order) | {
        "milestone": milestone,
        "deliveries": deliveries,
        "left": left,
        "right": right,
        "pairs": pairs,
    }
    return render(request, "orders/compare.html", context)


def _context(request: SignedInRequest, order: Order) -> dict[str, Any]:
    """Where the page belongs: sides come from the order's page, support from the administration."""
    side = order.side_of(request.user)
    if not side:
        return {"order": order, "up_url": reverse("admin:orders_order_change", args=[order.pk])}
    section = "/orders/" if side == "buyer" else "/sales/"
    return {"order": order, "up_url": order.get_absolute_url(), "section": section}


def _chosen(deliveries: Sequence[Delivery], number: str, otherwise: Sequence[Delivery]) -> Delivery | None:
    asked = [delivery for delivery in deliveries if str(delivery.number) == number]
    return next(iter([*asked, *otherwise]), None)


def _together(file: Attachment) -> list[Attachment]:
    """The files that were handed over at once and can be seen; one of a case stands alone."""
    if not (file.delivery_id or file.message_id):
        return [file]
    files = file.order.attachments.filter(delivery=file.delivery_id, message=file.message_id, withheld_at=None)
    return list(files)


def _text(file: Attachment) -> Text | None:
    try:
        return read_text(file) if file.kind == "text" else None
    except FileNotFoundError:
        return None
