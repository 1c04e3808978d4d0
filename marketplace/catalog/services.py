"""The verbs of the catalog. Every change of a gig raises its version, which checkout posts (O19)."""

import logging
import secrets
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_fsm import can_proceed

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog import covers, plans
from marketplace.catalog.models import Category, Gig, PlanMilestone, Terms
from marketplace.catalog.plans import PlannedMilestone

logger = logging.getLogger(__name__)

SLUG_LENGTH = 80
CANNOT_PUBLISH = {
    Gig.Status.PUBLISHED: gettext_lazy("A gig that is published can’t be published."),
    Gig.Status.ARCHIVED: gettext_lazy("A gig that is archived can’t be published."),
}
CANNOT_PAUSE = {
    Gig.Status.DRAFT: gettext_lazy("A gig that is draft can’t be paused."),
    Gig.Status.PAUSED: gettext_lazy("A gig that is paused can’t be paused."),
    Gig.Status.ARCHIVED: gettext_lazy("A gig that is archived can’t be paused."),
}


class CatalogError(Exception):
    """A verb of the catalog was refused and nothing was changed. The message is for people."""


class GigChanged(CatalogError):
    """The gig is not in the version that the form was drawn from."""


class NotAllowed(CatalogError):
    """This person, or this gig as it is now, does not allow it."""


class PlanRefused(CatalogError):
    """The terms in force do not allow this plan."""


def create_gig(
    seller: User,
    *,
    title: str,
    category: Category,
    description: str,
    currency: str,
    plan: Sequence[PlannedMilestone],
    cover: str | None = None,
    key: uuid.UUID | None = None,
) -> Gig:
    """Make a draft with its plan (G1). `cover` is the name that `covers.keep` gave.

    The same `key` of the same seller makes one gig, however often the form is sent: the first one is returned.
    Raises NotAllowed for a deactivated seller, PlanRefused for a plan outside the terms in force.
    """
    _check_seller(seller)
    if key and (made := Gig.objects.of(seller).filter(key=key).first()):
        return made
    _check_plan(plan, currency)
    gig = Gig(
        seller=seller,
        title=title,
        category=category,
        description=description,
        currency=currency,
        cover=cover or "",
        key=key,
        created_at=clock.now(),
        **_sums(plan),
    )
    base = slugify(title)[:SLUG_LENGTH].strip("-") or "gig"
    gig.slug = base
    while True:
        try:
            with transaction.atomic():
                gig.save(force_insert=True)
                _write_plan(gig, plan)
        except IntegrityError:
            if key and (made := Gig.objects.of(seller).filter(key=key).first()):
                return made
            if not Gig.objects.filter(slug=gig.slug).exists():
                raise
            gig.slug = f"{base}-{secrets.token_hex(4)}"
        else:
            return gig


@transaction.atomic
def edit_gig(
    gig: Gig,
    *,
    by: User,
    version: int,
    title: str,
    category: Category,
    description: str,
    currency: str,
    plan: Sequence[PlannedMilestone],
    cover: str | None = None,
) -> Gig:
    """Change a gig and its plan together; orders keep the copies they have. `cover` None leaves it, "" takes it away.

    Raises GigChanged if `version` is not the present one, NotAllowed for anybody but the seller and for an archived
    gig, PlanRefused for a plan outside the terms in force. Its address stays.
    """
    gig = _locked(gig)
    _check_seller(by)
    if gig.seller_id != by.pk:
        raise NotAllowed(_("Only its seller may edit a gig."))
    if gig.status == Gig.Status.ARCHIVED:
        raise NotAllowed(_("An archived gig can’t be edited."))
    if gig.version != version:
        raise GigChanged(_("This gig was changed since you opened it."))
    _check_plan(plan, currency)
    gig.title, gig.category, gig.description, gig.currency = title, category, description, currency
    sums = _sums(plan)
    gig.price, gig.delivery_days = sums["price"], sums["delivery_days"]
    if cover is not None:
        gig.cover = cover
    gig.plan.all().delete()
    _write_plan(gig, plan)
    return _save(gig)


@transaction.atomic
def publish(gig: Gig, *, by: User) -> Gig:
    """Offer a draft or paused gig for sale.

    Raises NotAllowed for anybody but the seller and in any other state, PlanRefused if the plan is outside the terms
    in force by now.
    """
    gig = _locked(gig)
    _check_seller(by)
    if gig.seller_id != by.pk:
        raise NotAllowed(_("Only its seller may publish a gig."))
    if not can_proceed(gig.publish):
        raise NotAllowed(str(CANNOT_PUBLISH[gig.status]))
    _check_plan([PlannedMilestone.of(milestone) for milestone in gig.plan.all()], gig.currency)
    gig.publish(clock.now())
    return _save(gig)


@transaction.atomic
def pause(gig: Gig, *, by: User) -> Gig:
    """Take a published gig off the shelf; orders that run go on. The seller may, and staff who may change gigs.

    Raises NotAllowed for others and in any other state.
    """
    gig = _locked(gig)
    _check_seller_or_staff(gig, by)
    if not can_proceed(gig.pause):
        raise NotAllowed(str(CANNOT_PAUSE[gig.status]))
    gig.pause()
    return _save(gig)


@transaction.atomic
def archive(gig: Gig, *, by: User) -> Gig:
    """Put a gig away for good (G1). There is no deleting: orders point to it. Raises NotAllowed as `pause` does."""
    gig = _locked(gig)
    _check_seller_or_staff(gig, by)
    if not can_proceed(gig.archive):
        raise NotAllowed(_("This gig is archived already."))
    gig.archive()
    return _save(gig)


def publish_terms(*, by: User | None, price_limits: dict[str, list[int]], **numbers: Any) -> Terms:
    """Put new terms in force (G4), for orders and offers made from now on.

    Rates are in basis points, limits in minor units. Raises ValueError for limits that are not a pair of amounts in
    a currency we deal in.
    """
    for currency, limits in price_limits.items():
        plans.check_limits(currency, limits)
    if not price_limits:
        raise ValueError(_("At least one currency is needed."))
    return Terms.objects.create(price_limits=price_limits, published_at=clock.now(), published_by=by, **numbers)


def forget_unused_covers() -> int:
    """Delete the files of covers that were replaced, or uploaded and never saved. Returns how many."""
    used = set(Gig.objects.exclude(cover="").values_list("cover", flat=True))
    return covers.forget_unused(used, now=clock.now())


def _locked(gig: Gig) -> Gig:
    return Gig.objects.select_for_update(of=("self",)).select_related("seller").get(pk=gig.pk)


def _save(gig: Gig) -> Gig:
    gig.version += 1
    gig.save()
    logger.info("Gig %s is %s, version %s", gig.pk, gig.status, gig.version)
    return gig


def _check_seller(seller: User) -> None:
    if not seller.is_active:
        raise NotAllowed(_("This account is deactivated."))


def _check_seller_or_staff(gig: Gig, by: User) -> None:
    if gig.seller_id != by.pk and not by.has_perm("catalog.change_gig"):
        raise NotAllowed(_("Only its seller may do this."))


def _check_plan(plan: Sequence[PlannedMilestone], currency: str) -> None:
    try:
        plans.check(plan, currency=currency, terms=Terms.objects.in_force())
    except plans.InvalidPlan as problem:
        raise PlanRefused(str(problem)) from problem


def _sums(plan: Sequence[PlannedMilestone]) -> dict[str, int]:
    return {
        "price": sum(milestone.price for milestone in plan),
        "delivery_days": sum(milestone.delivery_days for milestone in plan),
    }


def _write_plan(gig: Gig, plan: Sequence[PlannedMilestone]) -> None:
    PlanMilestone.objects.bulk_create(
        PlanMilestone(
            gig=gig,
            position=position,
            title=milestone.title,
            description=milestone.description,
            price=milestone.price,
            delivery_days=milestone.delivery_days,
            revisions=milestone.revisions,
        )
        for position, milestone in enumerate(plan, start=1)
    )
