"""What belongs to the whole: the proofs of the ledger."""

from django.db import models


class LedgerProof(models.Model):
    """What a proof of the ledger came to (M11)."""

    proved_at = models.DateTimeField()
    holds = models.BooleanField()
    rows = models.BigIntegerField()
    seconds = models.FloatField()
    # For each promise: says, rows, broken, off, examples, seconds.
    results = models.JSONField()

    class Meta:
        ordering = ["-proved_at", "-pk"]
        get_latest_by = "proved_at"

    def __str__(self) -> str:
        if self.holds:
            return "Every promise holds"
        broken = len(self.broken)
        return f"{broken} broken promise{'s' if broken > 1 else ''}"

    @property
    def broken_first(self) -> list[dict[str, object]]:
        return sorted(self.results, key=lambda result: not result["broken"])

    @property
    def broken(self) -> list[dict[str, object]]:
        return [result for result in self.results if result["broken"]]
