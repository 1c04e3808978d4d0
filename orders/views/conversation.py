"""Messages of an order, and who has read them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
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
    messages.success(request, _("Your message is sent."))
    return redirect(f"{order.get_absolute_url()}#messages")


@login_required
@require_POST
def mark_read(request: SignedInRequest, number: str) -> HttpResponse:
    """The viewer has read the other side's messages, up to the one with the id `until`; GET changes nothing.

    Posted by the page when they come into view, and by its button where there is no script.
    """
    order = order_of(request, number)
    until = request.POST.get("until", "")
    if until.isascii() and until.isdigit() and len(until) < 19:
        services.mark_read(order, by=request.user, until=int(until))
    # Nothing takes the place of the form: what was read needs no button.
    return HttpResponse() if "HX-Request" in request.headers else redirect(f"{order.get_absolute_url()}#messages")
