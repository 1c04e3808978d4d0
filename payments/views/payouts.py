"""Buttons of a seller's purse: connect a bank, withdraw, call it off, pay a debt. Each has a page that confirms it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from marketplace import clock
from marketplace.accounts.proving import proof_required
from marketplace.accounts.requests import SignedInRequest
from payments import services
from payments.gateways import GatewayError, GatewayUnavailable, gateway
from payments.models import Account, Withdrawal, WithdrawalLimit
from payments.money import CURRENCIES, display, parse, plain

# The page that these buttons are on; it is assembled at the top, where the orders are known as well.
EARNINGS = "/earnings/"
get_or_post = require_http_methods(["GET", "HEAD", "POST"])


class WithdrawalForm(forms.Form):
    """An amount in the currency's own notation."""

    amount = forms.CharField(max_length=40, widget=forms.TextInput(attrs={"inputmode": "decimal"}))

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["amount"].label = _("Amount in {currency}").format(currency=currency)

    def clean_amount(self) -> int:
        try:
            return parse(self.cleaned_data["amount"], self.currency)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


@login_required
@require_POST
@proof_required
def connect_bank(request: SignedInRequest) -> HttpResponse:
    """Go to the provider's page, where the seller gives their bank details; `change` goes there in any case.

    What the provider says in between is written down first, so a seller who is done there is done here.
    """
    back = request.build_absolute_uri(EARNINGS)
    try:
        account = services.connect_payout_account(request.user, at=clock.now())
        if account.is_ready and "change" not in request.POST:
            messages.success(request, _("Your bank is connected: {account}.").format(account=account))
            return redirect(EARNINGS)
        page = services.payout_account_page(account, back)
    except GatewayUnavailable:
        messages.error(request, _("The payment provider does not answer at the moment. Please try again in a minute."))
        return redirect(EARNINGS)
    except GatewayError as error:
        messages.error(request, _("The payment provider refused this: {error}").format(error=error))
        return redirect(EARNINGS)
    if url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}):
        return redirect(page)
    # A form of ours may lead nowhere else, so a link does.
    return render(request, "payments/connect_bank.html", {"page": page})


@login_required
@never_cache
@get_or_post
@proof_required
def withdraw(request: SignedInRequest, currency: str) -> HttpResponse:
    """Ask for an amount, look at what will happen, confirm. Wrong input 422, refused 409: what was typed is kept."""
    _known(currency)
    seller = request.user
    limit = WithdrawalLimit.objects.filter(currency=currency).first()
    available = services.balance(seller, currency)
    most = min(available, limit.greatest) if limit else 0
    most -= most % gateway().step(currency)
    context = {
        "currency": currency,
        "limit": limit,
        "available": available,
        "account": services.payout_account_of(seller),
        "why_not": services.why_not_withdraw(seller, currency),
    }

    def show(form: WithdrawalForm | None, status: int = 200, **more: object) -> HttpResponse:
        return render(request, "payments/withdraw.html", {**context, "form": form, **more}, status=status)

    if request.method != "POST":
        too_little = limit is None or available < limit.least
        if too_little and not context["why_not"]:
            context["why_not"] = _("Less is available than the least that can be withdrawn.")
        form = WithdrawalForm(currency=currency, initial={"amount": plain(most, currency)})
        return show(None if context["why_not"] else form)
    form = WithdrawalForm(request.POST, currency=currency)
    if not form.is_valid():
        return show(form, 422)
    amount = form.cleaned_data["amount"]
    at = clock.now()
    try:
        with transaction.atomic():
            services.request_withdrawal(seller, currency=currency, amount=amount, at=at)
            # The same checks as the act itself, so nobody confirms what will be refused.
            transaction.set_rollback("confirm" not in request.POST)
    except services.WithdrawalRefused as refusal:
        form.add_error(None, str(refusal))
        return show(form, 409)
    if "confirm" not in request.POST:
        return show(form, confirmed=amount, left=services.balance(seller, currency) - amount)
    messages.success(
        request,
        _("You asked to withdraw {amount}. We tell you when it is decided.").format(amount=display(amount, currency)),
    )
    return redirect(EARNINGS)


@login_required
@never_cache
@get_or_post
def cancel_withdrawal(request: SignedInRequest, pk: int) -> HttpResponse:
    """Call off one's own withdrawal while nobody has decided about it. To strangers it does not exist."""
    withdrawal = get_object_or_404(Withdrawal.objects.select_related("account"), pk=pk, owner=request.user)
    amount = display(withdrawal.amount, withdrawal.currency)
    return _confirmed(
        request,
        act=lambda: services.cancel_withdrawal(withdrawal, by=request.user, at=clock.now()),
        done=lambda _withdrawal: _("Your withdrawal of {amount} is called off; the money is available again.").format(
            amount=amount
        ),
        title=_("Call off the withdrawal"),
        text=_("Your withdrawal of {amount} is called off, and the money is available again at once.").format(
            amount=amount
        ),
        button=_("Call it off"),
        possible=withdrawal.status == Withdrawal.Status.REQUESTED,
        why_not=_("It was decided already, so it cannot be called off any more."),
    )


@login_required
@never_cache
@get_or_post
def pay_debt(request: SignedInRequest, currency: str) -> HttpResponse:
    """Pay what is owed from what is available, as far as that goes (M10)."""
    _known(currency)
    seller = request.user
    owed, available = -services.balance(seller, currency, Account.Code.DEBT), services.balance(seller, currency)
    paid = display(max(0, min(owed, available)), currency)
    text = _("{paid} of what is available to you is used to pay what you owe the platform.").format(paid=paid)
    if owed > available:
        rest = _("{amount} stays owed.").format(amount=display(owed - available, currency))
        text = f"{text} {rest}"
    return _confirmed(
        request,
        act=lambda: services.pay_debt(seller, currency=currency, at=clock.now()),
        done=lambda amount: _("You paid {amount} of what you owed.").format(amount=display(amount, currency)),
        title=_("Pay what you owe"),
        text=text,
        button=_("Pay {amount}").format(amount=paid),
        possible=owed > 0 and available > 0,
        why_not=_("You owe nothing in this currency.") if owed <= 0 else _("Nothing is available to pay it from."),
    )


def _confirmed(
    request: SignedInRequest,
    *,
    act: Callable[[], Any],
    done: Callable[[Any], str],
    title: str,
    text: str,
    button: str,
    possible: bool,
    why_not: str,
) -> HttpResponse:
    context = {"title": title, "text": text, "button": button, "why_not": "" if possible else why_not}
    if request.method != "POST":
        return render(request, "payments/confirm.html", context)
    try:
        with transaction.atomic():
            result = act()
    except services.WithdrawalRefused as refusal:
        return render(request, "payments/confirm.html", {**context, "why_not": str(refusal)}, status=409)
    messages.success(request, done(result))
    return redirect(EARNINGS)


def _known(currency: str) -> None:
    if currency not in CURRENCIES:
        raise Http404
