"""The buyer's buttons."""

from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from marketplace.catalog.models import Gig, Terms
from orders import services
from orders.forms import AskForm, CheckoutForm, PayForm, RevisionForm, VersionedForm
from orders.guards import Refusal, Refused
from orders.models.order import new_number
from orders.views.acting import act, after_payment
from payments.errors import PaymentsError
from payments.money import fee

get_or_post = require_http_methods(["GET", "HEAD", "POST"])
CHECKOUT = signing.Signer(salt="checkout")


@login_required
@get_or_post
def order_gig(request: HttpRequest, slug: str) -> HttpResponse:
    """Checkout: this charge, the later ones and the rules in words; the same checkout posted twice makes one order."""
    gig = get_object_or_404(Gig.objects.for_sale().select_related("seller"), slug=slug)
    terms = Terms.objects.in_force()
    refusal: Refusal | None = None
    form = CheckoutForm(request.POST or None)
    if gig.seller == request.user:
        return render(request, "orders/checkout.html", {"gig": gig, "refusal": Refusal("This gig is yours.")}, status=403)
    if request.method == "POST" and form.is_valid():
        try:
            order = services.order_gig(
                gig,
                by=request.user,
                brief=form.cleaned_data["brief"],
                method=form.cleaned_data["method"],
                gig_version=form.cleaned_data["gig_version"],
                terms_id=form.cleaned_data["terms"],
                number=_checkout_number(request, form.cleaned_data["checkout"]),
            )
        except Refused as refused:
            refusal = refused.refusal
        except PaymentsError as error:
            refusal = Refusal(str(error))
        else:
            return after_payment(request, order.number, f"You ordered “{order.title}”. The first milestone is funded.")
    shown = {"gig_version": gig.version, "terms": terms.pk, "checkout": CHECKOUT.sign(f"{request.user.pk} {new_number()}")}
    if form.is_bound:
        form.data = form.data.copy()  # type: ignore[attr-defined]
        form.data.update({key: str(value) for key, value in shown.items()})  # type: ignore[attr-defined]
    else:
        form = CheckoutForm(initial=shown)
    plan = [{"step": step, "fee": fee(step.price, terms.buyer_fee)} for step in gig.plan.all()]
    for row in plan:
        row["total"] = row["step"].price + row["fee"]
    context = {
        "gig": gig,
        "form": form,
        "plan": plan,
        "first": plan[0],
        "total": sum(row["total"] for row in plan),
        "rules": terms.sentences(),
        "refusal": refusal,
    }
    status = 409 if refusal else 422 if form.is_bound else 200
    return render(request, "orders/checkout.html", context, status=status)


def _checkout_number(request: HttpRequest, token: str) -> str:
    """The order's number that the checkout page was given, bound to the person it was given to."""
    try:
        user_id, number = CHECKOUT.unsign(token).split(" ")
    except (signing.BadSignature, ValueError):
        raise Refused(Refusal("This page has expired. Please send it once more.")) from None
    if user_id != str(request.user.pk):
        raise Refused(Refusal("This page was opened by somebody else. Please send it once more."))
    return number


@login_required
@get_or_post
def place(request: HttpRequest, number: str) -> HttpResponse:
    return act(
        request,
        number,
        "place",
        PayForm,
        lambda order, _, data: services.place(order, by=request.user, method=data["method"], version=data["version"]),
        done="You accepted the offer; the first milestone is funded.",
        pays=True,
    )


@login_required
@get_or_post
def decline(request: HttpRequest, number: str) -> HttpResponse:
    return act(
        request,
        number,
        "decline",
        VersionedForm,
        lambda order, _, data: services.decline_offer(order, by=request.user, version=data["version"]),
        done="You declined the offer.",
        danger=True,
    )


@login_required
@get_or_post
def start(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    return act(
        request,
        number,
        "start",
        PayForm,
        lambda _, milestone, data: services.start(
            milestone, by=request.user, method=data["method"], version=data["version"]
        ),
        milestone_id=pk,
        done="The milestone is funded; the seller can begin.",
        pays=True,
    )


@login_required
@get_or_post
def pay(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    return act(
        request,
        number,
        "pay",
        PayForm,
        lambda _, milestone, data: services.pay(
            milestone, by=request.user, method=data["method"], version=data["version"]
        ),
        milestone_id=pk,
        done="The milestone is funded; the seller can begin.",
        pays=True,
    )


@login_required
@get_or_post
def abandon(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    return act(
        request,
        number,
        "abandon",
        VersionedForm,
        lambda _, milestone, data: services.abandon(milestone, by=request.user, version=data["version"]),
        milestone_id=pk,
        done="That attempt was given up. You can pay with another card now.",
    )


@login_required
@get_or_post
def accept(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    return act(
        request,
        number,
        "accept",
        VersionedForm,
        lambda _, milestone, data: services.accept(milestone, by=request.user, version=data["version"]),
        milestone_id=pk,
        done="You accepted the delivery; the seller is paid.",
    )


@login_required
@get_or_post
def accept_and_continue(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    return act(
        request,
        number,
        "accept_and_continue",
        PayForm,
        lambda _, milestone, data: services.accept_and_continue(
            milestone, by=request.user, method=data["method"], version=data["version"]
        ),
        milestone_id=pk,
        done="You accepted the delivery, and the next milestone is funded.",
        pays=True,
    )


@login_required
@get_or_post
def request_revision(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    return act(
        request,
        number,
        "request_revision",
        RevisionForm,
        lambda _, milestone, data: services.request_revision(
            milestone, by=request.user, text=data["text"], version=data["version"]
        ),
        milestone_id=pk,
        done="You asked for a revision. The seller has a new delivery date.",
    )


@login_required
@get_or_post
def stop(request: HttpRequest, number: str) -> HttpResponse:
    return act(
        request,
        number,
        "stop",
        VersionedForm,
        lambda order, _, data: services.stop(order, by=request.user, version=data["version"]),
        done="You stopped the order. What was delivered stays yours.",
        danger=True,
    )


@login_required
@get_or_post
def order_again(request: HttpRequest, number: str) -> HttpResponse:
    return act(
        request,
        number,
        "order_again",
        AskForm,
        lambda order, _, data: services.ask_offer(
            by=request.user, seller=order.seller, text=data["text"], gig=order.gig, again=order
        ),
        done="You asked the seller for a fresh offer with what was not started.",
    )
