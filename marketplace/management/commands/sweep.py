"""`manage.py sweep`: what Celery beat does every few seconds, once, by hand."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

import orders.services
import payments.services
import resolution.services
from marketplace import clock, finance_notices, webhooks, withdrawal_notices
from orders.activity import sentence
from orders.models import Event
from payments.tasks import deliver_sandbox_events

# Sweeps that change only our own database can be rehearsed; those that ask the provider cannot.
SETTLING: dict[str, Callable[[], int]] = {
    "cases whose time to answer has passed": resolution.services.settle_due_cases,
    "orders whose deadline has passed": orders.services.settle_due,
    "disputes that the clock owes": resolution.services.open_owed_disputes,
    "earnings that have cleared": lambda: payments.services.clear_earnings(at=clock.now()),
    "refused refunds to tell of": orders.services.tell_refused_refunds,
    "lost chargebacks to tell of": resolution.services.tell_decided_rests,
    "withdrawals to tell of": withdrawal_notices.tell_withdrawals,
    "receipts and credit notes": lambda: payments.services.issue_documents(clock.now()),
    "things that wait for finance, to tell of": finance_notices.tell_finance,
    "reminders": orders.services.send_reminders,
}
ASKING: dict[str, Callable[[], int]] = {
    "charges left undecided": orders.services.settle_charges,
    "refunds left undecided": lambda: payments.services.settle_refunds(at=clock.now()),
    "events that came too early": webhooks.replay_early_events,
    "events of the sandbox": deliver_sandbox_events,
    "withdrawals on their way": lambda: payments.services.settle_withdrawals(at=clock.now()),
}


class Command(BaseCommand):
    help = "Do what is due now. With --dry-run the real sweep is run, reported and rolled back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="roll everything back and ask no provider")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if dry_run:
            with transaction.atomic():
                self.sweep(SETTLING)
                transaction.set_rollback(True)
            self.stdout.write("Nothing of this was kept, and no provider was asked.")
            return
        self.sweep(SETTLING | ASKING)

    def sweep(self, sweeps: dict[str, Callable[[], int]]) -> None:
        last = Event.objects.order_by("pk").values_list("pk", flat=True).last() or 0
        for name, sweep in sweeps.items():
            self.stdout.write(f"{sweep():5} {name}")
        people = ("order__buyer", "order__seller", "actor", "milestone")
        for event in Event.objects.filter(pk__gt=last).select_related(*people):
            self.stdout.write(f"      {event.order.number}  {sentence(event, event.order, None)}")
