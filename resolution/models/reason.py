"""The valid reasons for a case (R5)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop as noop

from orders.models import Milestone
from payments.said import said
from resolution.models.choices import DISPUTES

BUYER = "buyer"
# The texts of the reasons that come with the site; staff may write others, which are shown as they wrote them.
OURS = (
    noop("The seller is late"),
    noop("The seller does not respond"),
    noop("The delivery is not as described"),
    noop("Nothing or unusable files were delivered"),
    noop("The buyer does not respond"),
    noop("The buyer has not provided what is needed"),
    noop("We disagree about the scope"),
    noop("It was ordered by mistake"),
    noop("The seller cannot deliver"),
    noop("It infringes intellectual property"),
    noop("Fraud or abuse"),
    noop("Both sides agree"),
    noop("The buyer's bank took the payment back"),
    noop("The work needs more time"),
    noop("More changes are wanted"),
    noop("The plan has changed"),
)


class ReasonQuerySet(models.QuerySet["Reason"]):
    def citable(self, side: str, milestone: Milestone | None, kind: str) -> "ReasonQuerySet":
        """What this side may cite in this kind of case while `milestone` is open, or between milestones (R5)."""
        by_side = Q(cited_by_buyer=True) if side == BUYER else Q(cited_by_seller=True)
        by_kind = Q(in_disputes=True) if kind in DISPUTES else Q(in_proposals=True)
        return self.filter(by_side, by_kind, is_active=True, states__contains=[Reason.state_of(milestone)])

    def for_rulings(self) -> "ReasonQuerySet":
        """Support may cite all that a dispute can be about (R5)."""
        return self.filter(is_active=True, in_disputes=True)

    def with_citations(self) -> "ReasonQuerySet":
        """Citing is counted: `opened_with` by those who opened cases, `ruled_with` by support (R5)."""
        return self.annotate(opened_with=Count("cases", distinct=True), ruled_with=Count("cases_ruled", distinct=True))


class Reason(models.Model):
    """A valid reason: who may cite it, in which states. Support may cite all (R5)."""

    class State(models.TextChoices):
        IN_PROGRESS = "in_progress", _("In progress")
        DELIVERED = "delivered", _("Delivered")
        IN_REVISION = "in_revision", _("In revision")
        BETWEEN = "between", _("Between milestones")

    SELLER_LATE = "seller_late"
    SELLER_UNRESPONSIVE = "seller_unresponsive"
    CANNOT_DELIVER = "cannot_deliver"
    CHARGEBACK = "chargeback"

    code = models.SlugField(max_length=40, unique=True)
    text = models.CharField(max_length=120)
    cited_by_buyer = models.BooleanField(default=False)
    cited_by_seller = models.BooleanField(default=False)
    in_disputes = models.BooleanField(default=True)
    in_proposals = models.BooleanField(default=False)
    states = ArrayField(models.CharField(max_length=20, choices=State.choices), help_text=_("States to cite it in."))
    position = models.PositiveSmallIntegerField()
    is_active = models.BooleanField(_("active"), default=True)

    objects = ReasonQuerySet.as_manager()

    class Meta:
        verbose_name = _("reason")
        verbose_name_plural = _("reasons")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return said(self.text)

    @classmethod
    def state_of(cls, milestone: Milestone | None) -> str:
        return milestone.status if milestone and milestone.is_open else cls.State.BETWEEN
