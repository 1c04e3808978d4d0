"""How gigs and sellers are rated: (5 × site mean + sum) / (5 + n), so that one kind review is not yet fame (O18)."""

from decimal import ROUND_HALF_UP, Decimal

from django.core.cache import cache
from django.db.models import DecimalField, F, Sum, Value
from django.db.models.expressions import Combinable

from marketplace.accounts.models import User

BEST = 5
WEIGHT = 5  # How many reviews of the mean everything begins with.
NOBODY_REVIEWED = Decimal(3)  # The middle of the scale: nobody is above or below a mean that does not exist.
CACHED_FOR = 600  # seconds
MEAN_KEY = "catalog.ratings.site_mean"


def rating(total: int, count: int, mean: Decimal) -> Decimal:
    """The rating of something with `count` published reviews whose stars add up to `total`, in hundredths."""
    return ((WEIGHT * mean + total) / (WEIGHT + count)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def rating_for_sorting(mean: Decimal) -> Combinable:
    """The same, not rounded, as an expression over gigs or sellers: `order_by(rating_for_sorting(mean).desc())`."""
    begin = Value(WEIGHT * mean, output_field=DecimalField(max_digits=12, decimal_places=4))
    return (begin + F("rating_sum")) / (Value(WEIGHT) + F("rating_count"))


def site_mean() -> Decimal:
    """The mean of all published reviews of sellers, at most ten minutes old."""
    mean: Decimal | None = cache.get(MEAN_KEY)
    if mean is None:
        rated = User.objects.filter(rating_count__gt=0).aggregate(total=Sum("rating_sum"), count=Sum("rating_count"))
        if not rated["count"]:
            return NOBODY_REVIEWED  # Not kept: the first review counts at once.
        mean = (Decimal(rated["total"]) / rated["count"]).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        cache.set(MEAN_KEY, mean, CACHED_FOR)
    return mean
