"""Pages of the catalog that everybody sees: browse, a gig, a seller, a cover picture."""

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from marketplace.accounts.models import User
from marketplace.catalog import covers
from marketplace.catalog.forms import BrowseForm
from marketplace.catalog.models import Gig, GigQuerySet, PlanMilestone, Terms
from marketplace.catalog.search import found
from payments.pricing import buyer_fee

PER_PAGE = 24


@dataclass(frozen=True)
class PricedStep:
    """A milestone of the plan with what the buyer pays for it, in minor units."""

    milestone: PlanMilestone
    fee: int
    total: int


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    form = BrowseForm(request.GET, terms=Terms.objects.in_force())
    form.is_valid()
    gigs = found(Gig.objects.for_sale().select_related("seller"), form.cleaned_data)
    page = _page(request, gigs)
    filtered = any(request.GET.get(name) for name in form.fields)
    context = {"form": form, "page": page, "pages": _numbers(page), "filtered": filtered}
    return render(request, "catalog/browse.html", context)


@require_safe
def gig(request: HttpRequest, slug: str) -> HttpResponse:
    """Published gigs for everybody; drafts and paused ones do not exist for strangers."""
    viewer = request.user if request.user.is_authenticated else None
    visible = Gig.objects.seen_by(viewer).select_related("seller", "category").defer("search")
    shown = get_object_or_404(visible, slug=slug)
    terms = Terms.objects.in_force()
    steps = [_priced(milestone, terms) for milestone in shown.plan.all()]
    context = {
        "gig": shown,
        "terms": terms,
        "steps": steps,
        "first": steps[0],
        "fees": sum(step.fee for step in steps),
        "total": sum(step.total for step in steps),
        "mine": shown.seller == request.user,
        "rules": terms.sentences(viewer="buyer"),
    }
    return render(request, "catalog/gig.html", context)


@require_safe
def seller(request: HttpRequest, handle: str) -> HttpResponse:
    person = get_object_or_404(User, handle=handle)
    gigs = Gig.objects.for_sale().of(person).select_related("seller").order_by("-published_at", "-pk")
    page = _page(request, gigs)
    return render(request, "catalog/seller.html", {"seller": person, "page": page, "pages": _numbers(page)})


@require_safe
def cover(request: HttpRequest, name: str) -> FileResponse:
    """A picture that we have drawn ourselves. Names are random and never reused, so they may be cached for ever."""
    try:
        file = covers.storage().open(f"{covers.FOLDER}/{name}")
    except FileNotFoundError as missing:
        raise Http404 from missing
    return FileResponse(
        file,
        content_type="image/webp",
        headers={
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "public, max-age=31536000, immutable",
        },
    )


def _page(request: HttpRequest, gigs: GigQuerySet) -> "Page[Gig]":
    return Paginator(gigs.defer("search", "description"), PER_PAGE).get_page(request.GET.get("page"))


def _numbers(page: "Page[Gig]") -> list[int | str]:
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))


def _priced(milestone: PlanMilestone, terms: Terms) -> PricedStep:
    fee = buyer_fee(milestone.price, terms.buyer_fee, milestone.gig.currency)
    return PricedStep(milestone, fee, milestone.price + fee)
