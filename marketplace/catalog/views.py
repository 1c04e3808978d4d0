"""Pages of the catalog that everybody sees: browse, a gig, a seller, a cover picture."""

from django.core.paginator import Page, Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from marketplace.accounts.models import User
from marketplace.catalog import covers
from marketplace.catalog.costs import priced
from marketplace.catalog.forms import BrowseForm
from marketplace.catalog.models import Category, Gig, GigQuerySet, Terms
from marketplace.catalog.search import Suggestions, found, near_misses, suggestions

PER_PAGE = 24
LONGEST_SEARCH = 200


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """Gigs by words and filters. When nothing matches, what comes near: other filters, sellers, similar gigs."""
    form = BrowseForm(request.GET, terms=Terms.objects.in_force())
    form.is_valid()
    wanted = form.cleaned_data
    page = _page(request, found(_cards(), wanted))
    words = wanted.get("q") or ""
    context = {
        "form": form,
        "wanted": wanted,
        "categories": Category.objects.all(),
        "page": page,
        "pages": _numbers(page),
        "filtered": any(request.GET.get(name) for name in form.fields if name != "order"),
        "narrowed": sum(bool(request.GET.get(name)) for name in ("least", "greatest", "currency", "days", "rating")),
    }
    if not page.object_list and context["filtered"]:
        context |= {
            "elsewhere": found(Gig.objects.for_sale(), {"q": words}).count() if words else 0,
            "like": suggestions(words),
            "near": near_misses(words).as_cards(),
        }
    return render(request, "catalog/browse.html", context)


@require_safe
def suggest(request: HttpRequest) -> HttpResponse:
    """Where the words so far may lead, as options of the search box; static/search.js asks while one types."""
    typed = request.GET.get("q", "")[:LONGEST_SEARCH].replace("\0", "")
    like = suggestions(typed) if len(typed.strip()) > 1 else Suggestions([], [], [])
    answer = render(request, "catalog/_suggestions.html", {"like": like})
    answer["Cache-Control"] = "private, max-age=60"
    return answer


@require_safe
def gig(request: HttpRequest, slug: str) -> HttpResponse:
    """Published gigs for everybody; drafts and paused ones do not exist for strangers."""
    viewer = request.user if request.user.is_authenticated else None
    visible = Gig.objects.seen_by(viewer).select_related("seller", "category").defer("search")
    shown = get_object_or_404(visible, slug=slug)
    terms = Terms.objects.in_force()
    context = {
        "gig": shown,
        "terms": terms,
        "cost": priced(shown.plan.all(), shown.currency, terms),
        "mine": shown.seller == request.user,
        "rules": terms.sentences(viewer="buyer"),
    }
    return render(request, "catalog/gig.html", context)


@require_safe
def seller(request: HttpRequest, handle: str) -> HttpResponse:
    person = get_object_or_404(User, handle=handle)
    page = _page(request, _cards().of(person).order_by("-published_at", "-pk"))
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


def _cards() -> GigQuerySet:
    return Gig.objects.for_sale().as_cards()


def _page(request: HttpRequest, gigs: GigQuerySet) -> "Page[Gig]":
    return Paginator(gigs, PER_PAGE).get_page(request.GET.get("page"))


def _numbers(page: "Page[Gig]") -> list[int | str]:
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))
