"""A proof that is kept, shown in admin, and told loudly when it fails."""

import logging
from collections.abc import Callable
from dataclasses import asdict

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.reader import reading_as
from marketplace.models import LedgerProof
from marketplace.notifications.services import tell

from .proving import Result, prove

logger = logging.getLogger(__name__)


def prove_ledger(watch: Callable[[Result], object] = lambda result: None) -> LedgerProof:
    """Prove every promise over all rows and keep what came out; `watch` is called with each result as it is known.

    When one is broken, Finance and the superusers are told, and the log has it as critical.
    """
    at = clock.now()
    results = []
    for result in prove(at):
        watch(result)
        results.append(result)
    with transaction.atomic():
        proof = LedgerProof.objects.create(
            proved_at=at,
            holds=all(result.holds for result in results),
            rows=sum(result.rows for result in results),
            seconds=sum(result.seconds for result in results),
            results=[asdict(result) for result in results],
        )
        if not proof.holds:
            _alarm(proof, [str(result) for result in results if not result.holds])
    return proof


def _alarm(proof: LedgerProof, broken: list[str]) -> None:
    logger.critical("ALARM: the proof of the ledger failed. %s", " | ".join(broken))
    staff = get_user_model().objects.filter(Q(is_superuser=True) | Q(groups__name="Finance"), is_active=True)
    url = reverse("admin:marketplace_ledgerproof_change", args=[proof.pk])
    for person in staff.distinct():
        with reading_as(person):
            title = _("The proof of the ledger failed")
            text = "\n".join([_("These promises are broken:"), *broken])
        tell(
            [person], kind="proof_failed", title=title, text=text, url=url, key=f"proof:{proof.pk}", at=proof.proved_at
        )
