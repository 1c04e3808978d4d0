"""Messages and files of an order."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from marketplace.accounts.requests import SignedInRequest
from orders import services
from orders.forms import MessageForm
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
