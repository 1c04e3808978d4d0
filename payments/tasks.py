"""Celery's entry points: what beat asks for every few seconds."""

from celery import shared_task

from marketplace import clock
from payments import services
from payments.gateways import sandbox, sandbox_bank, sandbox_disputes, sandbox_events


@shared_task
def settle_refunds() -> None:
    services.settle_refunds(at=clock.now())


@shared_task
def clear_earnings() -> None:
    services.clear_earnings(at=clock.now())


@shared_task
def settle_withdrawals() -> None:
    services.settle_withdrawals(at=clock.now())


@shared_task
def deliver_sandbox_events() -> int:
    at = clock.now()
    sandbox.settle_processing(at)
    sandbox_bank.settle_payouts(at)
    sandbox_disputes.take_back_due(at)
    return sandbox_events.deliver_due(at)


@shared_task
def issue_documents() -> None:
    services.issue_documents(at=clock.now())
