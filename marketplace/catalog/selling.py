"""Pages of the catalog for sellers: their gigs, and the form with the plan builder."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.accounts.requests import SignedInRequest
from marketplace.catalog import plans, services
from marketplace.catalog.examples import EXAMPLES
from marketplace.catalog.forms import GigForm
from marketplace.catalog.models import Category, Gig, Terms
from marketplace.catalog.plans import PlanFormSet
from marketplace.pages_by_key import NEWEST, Column, instant, page_of

PER_PAGE = 25
COLUMNS = (Column("created_at", instant, descending=True), NEWEST)


@require_safe
@login_required
def my_gigs(request: SignedInRequest) -> HttpResponse:
    gigs = Gig.objects.of(request.user).select_related("category").defer("search", "description")
    page = page_of(gigs, COLUMNS, request.GET, most=PER_PAGE)
    return render(request, "catalog/my_gigs.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_gig(request: SignedInRequest) -> HttpResponse:
    terms = Terms.objects.in_force()
    if request.method == "POST":
        form = GigForm(request.POST, request.FILES, terms=terms)
        plan = _plan(request, form, terms)
        if plan.is_bound and form.is_valid() & plan.is_valid():
            made = _try(request, form, lambda: _create(request, form, plan))
            if made:
                return redirect(made)
        return _draw(request, form, plan, terms)
    example = EXAMPLES.get(request.GET.get("example", ""))
    currency = "USD" if "USD" in terms.price_limits else terms.currencies[0]
    initial: dict[str, object] = {"currency": currency}
    if example:
        category = Category.objects.filter(slug=example.category).first()
        initial |= {"title": example.title, "description": example.description, "category": category}
    form = GigForm(terms=terms, initial=initial)
    rows = example.rows(with_prices=currency == "USD") if example else ()
    return _draw(request, form, PlanFormSet(currency=currency, terms=terms, rows=rows), terms, example=example)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_gig(request: SignedInRequest, slug: str) -> HttpResponse:
    gig = _own_gig(request, slug)
    if gig.status == Gig.Status.ARCHIVED:
        messages.error(request, _("An archived gig can’t be edited."))
        return redirect("catalog:my_gigs")
    terms = Terms.objects.in_force()
    if request.method != "POST":
        rows = plans.rows_of(gig.plan.all(), gig.currency)
        return _draw(
            request, GigForm(terms=terms, gig=gig), PlanFormSet(currency=gig.currency, terms=terms, rows=rows), terms
        )
    form = GigForm(request.POST, request.FILES, terms=terms, gig=gig)
    plan = _plan(request, form, terms)
    if plan.is_bound and form.is_valid() & plan.is_valid():
        saved = _try(request, form, lambda: _edit(request, form, plan, gig))
        if saved:
            return redirect(saved)
    return _draw(request, form, plan, terms)


@require_POST
@login_required
def publish(request: SignedInRequest, slug: str) -> HttpResponse:
    return _act(request, slug, services.publish, _("“{title}” is published."))


@require_POST
@login_required
def pause(request: SignedInRequest, slug: str) -> HttpResponse:
    return _act(request, slug, services.pause, _("“{title}” is paused. Orders that run go on."))


@require_POST
@login_required
def archive(request: SignedInRequest, slug: str) -> HttpResponse:
    return _act(request, slug, services.archive, _("“{title}” is archived."))


def _own_gig(request: SignedInRequest, slug: str) -> Gig:
    return get_object_or_404(Gig.objects.of(request.user).defer("search"), slug=slug)


def _act(request: SignedInRequest, slug: str, verb: Callable[..., Gig], done: str) -> HttpResponse:
    gig = _own_gig(request, slug)
    try:
        verb(gig, by=request.user)
    except services.CatalogError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done.format(title=gig.title))
    return redirect("catalog:my_gigs")


def _plan(request: SignedInRequest, form: GigForm, terms: Terms) -> PlanFormSet:
    """The plan as it was typed; after a button of the plan builder it is not bound, and nothing is judged yet."""
    change = plans.asked_change(request.POST)
    if not change:
        return PlanFormSet(request.POST, currency=form.typed_currency, terms=terms)
    form.forget_errors()
    return PlanFormSet.changed(request.POST, change, currency=form.typed_currency, terms=terms)


def _create(request: SignedInRequest, form: GigForm, plan: PlanFormSet) -> Gig:
    """Make the gig; a form that made one already (a double click, or going back and correcting) changes that one."""
    key = form.cleaned_data["key"]
    form.gig = Gig.objects.of(request.user).filter(key=key).first() if key else None
    if form.gig:
        return _edit(request, form, plan, form.gig)
    made = services.create_gig(request.user, key=key, **_values(form, plan))
    return _then(request, made)


def _edit(request: SignedInRequest, form: GigForm, plan: PlanFormSet, gig: Gig) -> Gig:
    version = form.cleaned_data["version"] or 1
    saved = services.edit_gig(gig, by=request.user, version=version, **_values(form, plan))
    return _then(request, saved)


def _values(form: GigForm, plan: PlanFormSet) -> dict[str, Any]:
    cleaned = form.cleaned_data
    names = ("title", "category", "description", "currency")
    return {name: cleaned[name] for name in names} | {"cover": cleaned["cover_name"], "plan": plan.plan()}


def _then(request: SignedInRequest, gig: Gig) -> Gig:
    """Say what was done; "Save and publish" publishes as well."""
    if request.POST.get("then") != "publish" or gig.status == Gig.Status.PUBLISHED:
        saved = _("Saved.") if gig.is_for_sale else _("Saved. Only you can see it until you publish it.")
        messages.success(request, saved)
        return gig
    gig = services.publish(gig, by=request.user)
    messages.success(request, _("Published. Buyers can order it now."))
    return gig


def _try(request: SignedInRequest, form: GigForm, verb: Callable[[], Gig]) -> Gig | None:
    """The gig, or None with the refusal on the form, where what was typed is shown again."""
    try:
        return verb()
    except services.GigChanged:
        assert form.gig is not None
        form.gig.refresh_from_db()
        form.draw_from(form.gig)
        form.add_error(
            None,
            _(
                "This gig was changed since you opened this page, and nothing was saved now. Below is what you typed: "
                "compare it with the gig as it is, then save again to replace it."
            ),
        )
    except services.CatalogError as refusal:
        form.add_error(None, str(refusal))
    return None


def _draw(
    request: SignedInRequest, form: GigForm, plan: PlanFormSet, terms: Terms, example: object = None
) -> HttpResponse:
    context = {
        "form": form,
        "plan": plan,
        "gig": form.gig,
        "terms": terms,
        "examples": EXAMPLES.values(),
        "example": example,
    }
    return render(request, "catalog/gig_form.html", context)
