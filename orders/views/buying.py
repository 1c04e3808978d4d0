"""The buyer's buttons."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from marketplace.accounts.requests import SignedInRequest
from marketplace.catalog.models import Gig, Terms
from orders import services
from orders.forms import CheckoutForm
from orders.guards import Refusal, Refused
from orders.schedule import schedule_of_gig
from orders.views.acting import after_payment, get_or_post, page_of
from orders.views.buttons import BUTTONS
from orders.views.once import number_of, token_for
from payments.errors import PaymentsError


@login_required
@get_or_post
def order_gig(request: SignedInRequest, slug: str) -> HttpResponse:
    """Checkout: this charge, the later ones and the rules in words; the same checkout posted twice makes one order."""
    gig = get_object_or_404(Gig.objects.for_sale().select_related("seller"), slug=slug)
    terms = Terms.objects.in_force()
    refusal: Refusal | None = None
    form = CheckoutForm(request.POST or None, payer=request.user, currency=gig.currency)
    if gig.seller == request.user:
        yours = {"gig": gig, "refusal": Refusal(_("This gig is yours."))}
        return render(request, "orders/checkout.html", yours, status=403)
    if request.method == "POST" and form.is_valid():
        try:
            order = services.order_gig(
                gig,
                by=request.user,
                brief=form.cleaned_data["brief"],
                method=form.cleaned_data["method"],
                keep_card=form.cleaned_data["keep_card"],
                use_credit=form.cleaned_data.get("use_credit", False),
                gig_version=form.cleaned_data["gig_version"],
                terms_id=form.cleaned_data["terms"],
                number=number_of(request, form.cleaned_data["checkout"]),
            )
        except Refused as refused:
            refusal = refused.refusal
        except PaymentsError as error:
            refusal = Refusal(str(error))
        else:
            done = _("You ordered “{title}”. The first milestone is funded.")
            return after_payment(request, order.number, done.format(title=order.title))
    shown = {"gig_version": gig.version, "terms": terms.pk, "checkout": token_for(request)}
    if form.is_bound:
        form.data = form.data.copy()  # type: ignore[attr-defined]
        form.data.update({key: str(value) for key, value in shown.items()})  # type: ignore[attr-defined]
    else:
        form.initial = shown
    context = {
        "gig": gig,
        "form": form,
        "schedule": schedule_of_gig(gig, terms),
        "terms": terms,
        "rules": terms.sentences(),
        "refusal": refusal,
    }
    status = 409 if refusal else 422 if form.is_bound else 200
    return render(request, "orders/checkout.html", context, status=status)


place = page_of(BUTTONS["place"])
decline = page_of(BUTTONS["decline"])
start = page_of(BUTTONS["start"])
pay = page_of(BUTTONS["pay"])
abandon = page_of(BUTTONS["abandon"])
accept = page_of(BUTTONS["accept"])
accept_and_continue = page_of(BUTTONS["accept_and_continue"])
request_revision = page_of(BUTTONS["request_revision"])
stop = page_of(BUTTONS["stop"])
order_again = page_of(BUTTONS["order_again"])
