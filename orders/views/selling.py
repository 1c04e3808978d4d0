"""The seller's buttons."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse

from marketplace.accounts.requests import SignedInRequest
from orders import services
from orders.forms import DeliverForm, GrantForm
from orders.views.acting import act
from orders.views.buying import get_or_post


@login_required
@get_or_post
def deliver(request: SignedInRequest, number: str, pk: int) -> HttpResponse:
    return act(
        request,
        number,
        "deliver",
        DeliverForm,
        lambda _, milestone, data: services.deliver(
            milestone, by=request.user, message=data["message"], files=data["files"], version=data["version"]
        ),
        milestone_id=pk,
        done="Delivered. The buyer's review window begins now.",
    )


@login_required
@get_or_post
def grant_revisions(request: SignedInRequest, number: str, pk: int) -> HttpResponse:
    return act(
        request,
        number,
        "grant_revisions",
        GrantForm,
        lambda _, milestone, data: services.grant_revisions(
            milestone, by=request.user, count=data["count"], version=data["version"]
        ),
        milestone_id=pk,
        done="The extra revisions are granted.",
    )
