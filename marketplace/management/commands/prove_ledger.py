"""`manage.py prove_ledger`: prove every promise about money over all rows (M11)."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.proof import Result
from marketplace.proof.recording import prove_ledger


class Command(BaseCommand):
    help = (
        "Prove every promise about money and orders over all rows, in one snapshot. Prints each with the rows "
        "examined, the difference and the time; exits with 1 when one is broken. The result is kept for admin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"]:
            proof = prove_ledger()
            facts = {"proved_at": proof.proved_at.isoformat(), "holds": proof.holds, "rows": proof.rows}
            self.stdout.write(json.dumps({**facts, "seconds": proof.seconds, "results": proof.results}, indent=2))
        else:
            self.stdout.write(f"{'rows':>10}  {'difference':>12}  {'ms':>7}  promise")
            proof = prove_ledger(self._print)
            self.stdout.write(f"{proof.rows:>10}  {'':>12}  {proof.seconds * 1000:>7.0f}  {proof}")
        if not proof.holds:
            raise CommandError("The proof failed.", returncode=1)

    def _print(self, result: Result) -> None:
        line = f"{result.rows:>10}  {result.off:>12}  {result.seconds * 1000:>7.1f}  {result}"
        self.stdout.write(line if result.holds else self.style.ERROR(line))
