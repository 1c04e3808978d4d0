"""What belongs to the whole: the proofs of the ledger."""

from django.db import models
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _


class LedgerProof(models.Model):
    """What a proof of the ledger came to (M11)."""

    proved_at = models.DateTimeField(_("proved at"))
    holds = models.BooleanField(_("holds"))
    rows = models.BigIntegerField(_("rows"))
    seconds = models.FloatField(_("seconds"))
    # For each promise: says, rows, broken, off, examples, seconds.
    results = models.JSONField(_("results"))

    class Meta:
        verbose_name = _("ledger proof")
        verbose_name_plural = _("ledger proofs")
        ordering = ["-proved_at", "-pk"]
        get_latest_by = "proved_at"

    def __str__(self) -> str:
        if self.holds:
            return gettext("Every promise holds")
        broken = len(self.broken)
        return ngettext("{count} broken promise", "{count} broken promises", broken).format(count=broken)

    @property
    def broken_first(self) -> list[dict[str, object]]:
        return sorted(self.results, key=lambda result: not result["broken"])

    @property
    def broken(self) -> list[dict[str, object]]:
        return [result for result in self.results if result["broken"]]
