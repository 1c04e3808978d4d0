"""Gigs with their milestone plans (G1), and the terms that orders are made under (G4)."""

from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from marketplace.accounts.models import User
from marketplace.catalog import covers, rules


class Category(models.Model):
    name = models.CharField(_("name"), max_length=80, unique=True)
    slug = models.SlugField(_("address"), max_length=80, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name


class GigQuerySet(models.QuerySet["Gig"]):
    def published(self) -> "GigQuerySet":
        return self.filter(status=Gig.Status.PUBLISHED)

    def of(self, seller: User) -> "GigQuerySet":
        return self.filter(seller=seller)

    def for_sale(self) -> "GigQuerySet":
        """Published, by a seller who may sell."""
        return self.published().filter(seller__is_active=True)

    def as_cards(self) -> "GigQuerySet":
        """With what a card shows: the seller, how many milestones (`steps`), the price of the first (`first_price`)."""
        plan = PlanMilestone.objects.filter(gig=OuterRef("pk"))
        counted = plan.order_by().values("gig").annotate(number=Count("pk")).values("number")
        return (
            self.select_related("seller")
            .defer("search", "description")
            .annotate(steps=Subquery(counted), first_price=Subquery(plan.filter(position=1).values("price")))
        )

    def seen_by(self, viewer: User | None) -> "GigQuerySet":
        """What is for sale, and the viewer's own gigs in any state. Everything else does not exist for them."""
        on_sale = Q(status=Gig.Status.PUBLISHED, seller__is_active=True)
        return self.filter(on_sale | Q(seller=viewer)) if viewer else self.filter(on_sale)


class Gig(models.Model):
    """What a seller offers. Archived once it was ordered, never deleted (G1)."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        PAUSED = "paused", _("Paused")
        ARCHIVED = "archived", _("Archived")

    seller = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="gigs", verbose_name=_("seller"))
    title = models.CharField(_("title"), max_length=120)
    slug = models.SlugField(_("address"), max_length=100, unique=True, editable=False)
    category = models.ForeignKey(Category, models.PROTECT, related_name="gigs", verbose_name=_("category"))
    description = models.TextField(_("description"), max_length=10_000)
    cover = models.FileField(_("cover"), upload_to=covers.new_name, storage=covers.storage, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    status = FSMField(_("status"), choices=Status.choices, default=Status.DRAFT, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    key = models.UUIDField(null=True, unique=True, editable=False, help_text=_("The form it was made with, sent once."))
    price = models.BigIntegerField(_("price"), editable=False, help_text=_("The sum of the plan, in minor units."))
    delivery_days = models.PositiveIntegerField(_("delivery days"), editable=False, help_text=_("The sum of the plan."))
    created_at = models.DateTimeField(_("made"), editable=False)
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    rating_sum = models.PositiveIntegerField(default=0, editable=False, help_text=_("Of the published reviews (O18)."))
    rating_count = models.PositiveIntegerField(default=0, editable=False)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english")
        + SearchVector("description", weight="B", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = GigQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("gig")
        verbose_name_plural = _("gigs")
        constraints = [
            models.CheckConstraint(condition=Q(price__gt=0), name="gig_price_is_positive"),
            models.CheckConstraint(condition=Q(delivery_days__gt=0), name="gig_delivery_days_are_positive"),
        ]
        indexes = [
            GinIndex(fields=["search"], name="gig_search"),
            # Suggestions: the words of a title as they begin to be typed, without the stems of a language.
            GinIndex(SearchVector("title", config="simple"), name="gig_title_words"),
            # Browsing: what is for sale, newest first.
            models.Index(fields=["-published_at", "-id"], condition=Q(status="published"), name="gig_for_sale"),
            # The same in a category, and in the other orders that can be chosen.
            models.Index(
                fields=["category", "-published_at", "-id"], condition=Q(status="published"), name="gig_of_category"
            ),
            models.Index(fields=["currency", "price", "-id"], condition=Q(status="published"), name="gig_cheapest"),
            models.Index(fields=["currency", "-price", "-id"], condition=Q(status="published"), name="gig_dearest"),
            models.Index(fields=["delivery_days", "-id"], condition=Q(status="published"), name="gig_fastest"),
            # A seller's page and "my gigs".
            models.Index(fields=["seller", "-created_at"], name="gig_of_seller"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("catalog:gig", args=[self.slug])

    @property
    def cover_url(self) -> str:
        """Where the cover is served, or an empty string."""
        return covers.address(self.cover.name or "") if self.cover else ""

    @property
    def is_for_sale(self) -> bool:
        return bool(self.status == self.Status.PUBLISHED and self.seller.is_active)

    @transition(field=status, source=[Status.DRAFT, Status.PAUSED], target=Status.PUBLISHED)
    def publish(self, at: datetime) -> None:
        self.published_at = self.published_at or at

    @transition(field=status, source=Status.PUBLISHED, target=Status.PAUSED)
    def pause(self) -> None:
        pass

    @transition(field=status, source=[Status.DRAFT, Status.PUBLISHED, Status.PAUSED], target=Status.ARCHIVED)
    def archive(self) -> None:
        pass


class PlanMilestone(models.Model):
    """One step of a gig's plan. An order holds its own copy (G2)."""

    gig = models.ForeignKey(Gig, models.CASCADE, related_name="plan")
    position = models.PositiveSmallIntegerField(_("position"), help_text=_("From 1."))
    title = models.CharField(_("title"), max_length=120)
    description = models.TextField(_("description"), blank=True, max_length=2000)
    price = models.BigIntegerField(_("price"), help_text=_("In minor units of the gig's currency."))
    delivery_days = models.PositiveSmallIntegerField(_("delivery days"))
    revisions = models.PositiveSmallIntegerField(
        _("revisions"), null=True, blank=True, help_text=_("Empty: unlimited.")
    )

    class Meta:
        ordering = ["position"]
        verbose_name = _("planned milestone")
        verbose_name_plural = _("planned milestones")
        constraints = [
            models.UniqueConstraint(fields=["gig", "position"], name="one_milestone_per_position_of_a_plan"),
            models.CheckConstraint(condition=Q(position__gte=1), name="plan_position_starts_at_1"),
            models.CheckConstraint(condition=Q(price__gt=0), name="plan_price_is_positive"),
            models.CheckConstraint(condition=Q(delivery_days__gte=1), name="plan_delivery_days_are_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.title}"


class TermsQuerySet(models.QuerySet["Terms"]):
    def in_force(self) -> "Terms":
        """The terms published last: new orders and offers are made under them. Raises Terms.DoesNotExist."""
        return self.order_by("-pk")[:1].get()


class Terms(models.Model):
    """The numbers of the rules (G4). Staff publish a new row; a published one never changes: triggers refuse it.

    Fees are in basis points (550 is 5.5 %), prices in minor units.
    """

    review = models.DurationField(default=timedelta(days=8))
    continuing = models.DurationField(
        null=True,
        blank=True,
        help_text=_("Counted from the acceptance. Empty: one deadline for both, from the delivery."),
    )
    payment = models.DurationField(default=timedelta(hours=24))
    processing = models.DurationField(default=timedelta(days=14))
    offer = models.DurationField(default=timedelta(days=14))
    revision = models.DurationField(default=timedelta(days=3))
    very_late = models.DurationField(default=timedelta(hours=24))
    abandoned = models.DurationField(default=timedelta(days=30))
    answer = models.DurationField(default=timedelta(hours=48))
    escalation = models.DurationField(default=timedelta(days=7))
    least_rest = models.DurationField(default=timedelta(hours=24))
    support = models.DurationField(default=timedelta(days=3))
    reviews = models.DurationField(default=timedelta(days=14))
    clearing = models.DurationField(default=timedelta(0))
    buyer_fee = models.PositiveIntegerField(default=550)
    commission = models.PositiveIntegerField(default=2000)
    price_limits = models.JSONField(help_text=_('Least and greatest price of a milestone: {"USD": [300, 5000000]}.'))
    max_milestones = models.PositiveSmallIntegerField(default=20)
    note = models.CharField(_("note"), max_length=200, blank=True)
    published_at = models.DateTimeField(_("published"), editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("published by"),
    )

    objects = TermsQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("terms")
        verbose_name_plural = _("terms")
        constraints = [
            models.CheckConstraint(condition=Q(buyer_fee__lt=10_000), name="buyer_fee_below_100_percent"),
            models.CheckConstraint(condition=Q(commission__lt=10_000), name="commission_below_100_percent"),
            models.CheckConstraint(condition=Q(max_milestones__gte=1), name="terms_allow_a_milestone"),
            models.CheckConstraint(
                condition=Q(review__gt=timedelta(0))
                & (Q(continuing=None) | Q(continuing__gt=timedelta(0)))
                & Q(
                    payment__gt=timedelta(0),
                    processing__gt=timedelta(0),
                    offer__gt=timedelta(0),
                    revision__gt=timedelta(0),
                    very_late__gte=timedelta(0),
                    abandoned__gt=timedelta(0),
                    answer__gt=timedelta(0),
                    escalation__gte=timedelta(0),
                    least_rest__gte=timedelta(0),
                    support__gt=timedelta(0),
                    reviews__gt=timedelta(0),
                    clearing__gte=timedelta(0),
                ),
                name="terms_windows_are_positive",
            ),
        ]

    def __str__(self) -> str:
        return gettext("Terms {number}").format(number=self.pk)

    @property
    def currencies(self) -> list[str]:
        return sorted(self.price_limits)

    def limits(self, currency: str) -> tuple[int, int]:
        """The least and the greatest price of a milestone, in minor units. Raises KeyError for other currencies."""
        least, greatest = self.price_limits[currency]
        return least, greatest

    def sentences(self, *, viewer: Literal["buyer", "seller"] = "buyer") -> list[str]:
        """The rules in words with their numbers, for the pages of an order (G4)."""
        return rules.sentences(self, viewer=viewer)
