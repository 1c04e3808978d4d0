"""Messages and files of an order."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from marketplace.accounts import second_factor
from marketplace.accounts.requests import SignedInRequest
from orders import services
from orders.forms import MessageForm
from orders.models import Attachment, Order
from orders.views.acting import order_of


@login_required
@require_POST
def send_message(request: SignedInRequest, number: str) -> HttpResponse:
    order = order_of(request, number)
    form = MessageForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "orders/message.html", {"order": order, "form": form}, status=422)
    services.send_message(order, by=request.user, **form.cleaned_data)
    messages.success(request, "Your message is sent.")
    return redirect(f"{order.get_absolute_url()}#messages")


@login_required
@require_safe
def file(request: SignedInRequest, number: str, pk: int) -> HttpResponse | FileResponse:
    """Download a file of an order, never shown on our origin: for its two sides, and for support who used their
    second factor, as for the administration."""
    support = request.user.has_perm("orders.view_order") and second_factor.was_used(request)
    orders = Order.objects.all() if support else Order.objects.of(request.user)
    attachment = get_object_or_404(Attachment.objects.filter(order__in=orders, order__number=number), pk=pk)
    if attachment.withheld_at:
        raise Http404("This file was withheld.")
    response = FileResponse(
        attachment.file.open(), as_attachment=True, filename=attachment.name, content_type=attachment.content_type
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response
