"""Pages of the catalog that everybody sees: browse, a gig, a seller, a cover picture."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from marketplace.accounts.limits import searches_limited
from marketplace.accounts.models import User
from marketplace.catalog import covers
from marketplace.catalog.costs import priced
from marketplace.catalog.forms import BrowseForm
from marketplace.catalog.models import Category, Gig, GigQuerySet, Terms
from marketplace.catalog.search import LATEST_FIRST, Suggestions, columns_of, found, near_misses, suggestions
from marketplace.pages_by_key import page_of

PER_PAGE = 24
LONGEST_SEARCH = 200
COUNTED = 99  # further than that nobody counts, so that a number costs the same among a million gigs


@require_safe
@searches_limited
def browse(request: HttpRequest) -> HttpResponse:
    """Gigs by words and filters. When nothing matches, what comes near: other filters, sellers, similar gigs."""
    form = BrowseForm(request.GET, terms=Terms.objects.in_force())
    form.is_valid()
    wanted = form.cleaned_data
    page = page_of(found(_cards(), wanted), columns_of(wanted), request.GET, most=PER_PAGE)
    words = wanted.get("q") or ""
    # In the order of an index, which stops there; what is found by words would be sorted first.
    alike = found(Gig.objects.for_sale(), wanted)
    count = _counted(alike.order_by() if words else alike) if page.has_other_pages else len(page)
    context = {
        "form": form,
        "wanted": wanted,
        "categories": Category.objects.all(),
        "page": page,
        "count": count,
        "more": count > COUNTED,
        "most": COUNTED,
        "filtered": any(request.GET.get(name) for name in form.fields if name != "order"),
        "narrowed": sum(bool(request.GET.get(name)) for name in ("least", "greatest", "currency", "days", "rating")),
    }
    if not page and context["filtered"]:
        context |= {
            "elsewhere": _counted(found(Gig.objects.for_sale(), {"q": words})) if words else 0,
            "like": suggestions(words, most=0),
            "near": near_misses(words),
        }
    return render(request, "catalog/browse.html", context)


@require_safe
@searches_limited
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
    page = page_of(_cards().of(person), LATEST_FIRST, request.GET, most=PER_PAGE)
    return render(request, "catalog/seller.html", {"seller": person, "page": page})


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


def _counted(gigs: GigQuerySet) -> int:
    """How many they are, and no further than what is shown."""
    return gigs[: COUNTED + 1].count()
