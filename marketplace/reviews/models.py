"""What the two sides of an order say of each other when it has ended (O18)."""

from datetime import datetime

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.catalog.models import Gig
from orders.models import Order

TEXT_LENGTH = 2000


class ReviewQuerySet(models.QuerySet["Review"]):
    def visible(self, now: datetime) -> "ReviewQuerySet":
        """What everybody may read. By the instant alone, so a slow beat shows nothing late."""
        return self.filter(visible_from__lte=now, hidden_at=None)

    def of_gig(self, gig: Gig) -> "ReviewQuerySet":
        """What buyers said of the orders of a gig."""
        # Its seller says nothing new, but an index lists their reviews by time, and the list is read from its end.
        return self.filter(subject=gig.seller_id, order__gig=gig, about=Review.Side.SELLER)

    def of_seller(self, seller: User) -> "ReviewQuerySet":
        return self.filter(subject=seller, about=Review.Side.SELLER)

    def of_buyer(self, buyer: User) -> "ReviewQuerySet":
        return self.filter(subject=buyer, about=Review.Side.BUYER)

    def counted(self) -> "ReviewQuerySet":
        """What the ratings of gigs and sellers are made of."""
        return self.filter(about=Review.Side.SELLER, counted_at__isnull=False, hidden_at=None)

    def to_publish(self, now: datetime) -> "ReviewQuerySet":
        """Visible by now, but not counted and told yet; served by the partial index `review_to_publish`."""
        return self.filter(visible_from__lte=now, counted_at=None)


class Review(models.Model):
    """Written once, never edited. Support may hide it, with a reason that both sides read."""

    class Side(models.TextChoices):
        BUYER = "buyer", _("the buyer")
        SELLER = "seller", _("the seller")

    order = models.ForeignKey(Order, models.PROTECT, related_name="reviews", verbose_name=_("order"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="reviews_written", verbose_name=_("author")
    )
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="reviews_received", verbose_name=_("who is reviewed")
    )
    about = models.CharField(_("as"), max_length=6, choices=Side.choices, help_text=_("The side that is reviewed."))
    rating = models.PositiveSmallIntegerField(_("stars"), validators=[MinValueValidator(1), MaxValueValidator(5)])
    text = models.TextField(_("text"), blank=True, max_length=TEXT_LENGTH)
    written_at = models.DateTimeField(_("written"))
    visible_from = models.DateTimeField(
        _("visible from"), help_text=_("When both sides have written, else when the time for reviews is over.")
    )
    counted_at = models.DateTimeField(
        _("published"), null=True, blank=True, help_text=_("When it went into the ratings and both sides were told.")
    )
    hidden_at = models.DateTimeField(_("hidden"), null=True, blank=True)
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("hidden by")
    )
    hidden_because = models.CharField(_("why it is hidden"), max_length=200, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints = [
            models.UniqueConstraint(fields=["order", "author"], name="one_review_per_order_and_author"),
            models.UniqueConstraint(fields=["order", "about"], name="one_review_per_order_and_side"),
            models.CheckConstraint(condition=Q(rating__gte=1, rating__lte=5), name="review_has_one_to_five_stars"),
            models.CheckConstraint(condition=~Q(author=F("subject")), name="nobody_reviews_themselves"),
            models.CheckConstraint(
                condition=Q(visible_from__gte=F("written_at")), name="review_is_visible_after_it_is_written"
            ),
            models.CheckConstraint(
                condition=Q(counted_at=None) | Q(counted_at__gte=F("visible_from")),
                name="review_counts_after_it_is_visible",
            ),
            models.CheckConstraint(
                condition=Q(hidden_at=None, hidden_by=None, hidden_because="")
                | Q(hidden_at__isnull=False, hidden_by__isnull=False) & ~Q(hidden_because=""),
                name="review_is_hidden_by_somebody_with_a_reason",
            ),
        ]
        indexes = [
            # The sweep: to_publish().
            models.Index(fields=["visible_from"], condition=Q(counted_at=None), name="review_to_publish"),
            # A person's reviews as seller or as buyer, newest first.
            models.Index(fields=["subject", "about", "-visible_from"], name="reviews_of_person"),
        ]

    def __str__(self) -> str:
        return _("{order}: {rating} of 5").format(order=self.order_id, rating=self.rating)
