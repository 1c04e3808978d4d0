"""Celery's entry points of the whole: the heartbeat of the clock, and the nightly proof of the ledger."""

from celery import shared_task

from marketplace import finance_notices, webhooks, withdrawal_notices
from marketplace.accounts.sessions import SessionStore
from marketplace.health import note_sweep
from marketplace.proof.recording import prove_ledger as prove


@shared_task
def heartbeat() -> None:
    note_sweep()


@shared_task(time_limit=6 * 60 * 60, ignore_result=True)
def prove_ledger() -> None:
    """A table of a million orders takes longer than other tasks may."""
    prove()


@shared_task
def tell_finance() -> None:
    finance_notices.tell_finance()


@shared_task
def tell_withdrawals() -> None:
    withdrawal_notices.tell_withdrawals()


@shared_task
def forget_ended_sessions() -> None:
    """Sessions name people: those that ran out are deleted."""
    SessionStore.clear_expired()


@shared_task
def replay_early_events() -> None:
    webhooks.replay_early_events()
