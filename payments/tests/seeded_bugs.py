"""Bugs put into the ledger and the gateways on purpose, each shown to be caught.

    python3 run.py test -v payments/tests/seeded_bugs.py

Every bug is one text in one file, replaced in a copy of the source; the tests named beside it must fail there. All of
them takes some minutes, so it is no part of the suite; that each text still stands in its file once is a test.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_SOURCE = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", "staticfiles")


@dataclass(frozen=True)
class Bug:
    """What goes wrong, where, and which tests have to see it."""

    says: str
    file: str
    text: str
    instead: str
    tests: str


BUGS = [
    Bug(
        "fees are rounded half down",
        "payments/money.py",
        "(2 * price * rate + unit) // (2 * unit)",
        "(2 * price * rate + unit - 1) // (2 * unit)",
        "payments/tests/test_money.py",
    ),
    Bug(
        "a partial refund gives back the fee of the part alone",
        "payments/models/held.py",
        "return price + fee_before - fee_after",
        "return price + fee(price, self.buyer_fee_rate, self.step)",
        "payments/tests/test_holding.py",
    ),
    Bug(
        "an account may be overdrawn by one",
        "payments/services/booking.py",
        "if account.balance < leaving[pk]",
        "if account.balance + 1 < leaving[pk]",
        "payments/tests/test_ledger.py payments/tests/test_withdrawals.py",
    ),
    Bug(
        "an outcome is recorded whatever was recorded before",
        "payments/services/charging.py",
        "if not Charge.objects.filter(pk=charge.pk, status__in=taken_from).update(**news):",
        "if not Charge.objects.filter(pk=charge.pk).update(**news):",
        "payments/tests/test_charges.py payments/tests/test_events.py",
    ),
    Bug(
        "a success after a failure is ignored",
        "payments/services/charging.py",
        "State.SUCCEEDED: (*Charge.UNDECIDED, Status.FAILED, Status.CANCELED),",
        "State.SUCCEEDED: Charge.UNDECIDED,",
        "payments/tests/test_charges.py payments/tests/test_events.py",
    ),
    Bug(
        "a failed attempt keeps the credit that was reserved for it",
        "payments/services/charging.py",
        "if outcome.decided and not outcome.succeeded:",
        "if False:",
        "payments/tests/test_credit.py",
    ),
    Bug(
        "a refund without an answer counts as refused",
        "payments/services/refunding.py",
        '        logger.warning("No answer about %s; it will be asked again.", refund.key)\n        return',
        '        outcome = Outcome(State.FAILED, reason="No answer.")',
        "payments/tests/test_refunds.py",
    ),
    Bug(
        "an event is applied each time it comes",
        "payments/services/events.py",
        "return event if created or event.applied_at is None else None",
        "return event",
        "payments/tests/test_events.py",
    ),
    Bug(
        "a withdrawal that failed is not given back",
        "payments/services/sending.py",
        "_book_from_flight(withdrawal, available, Transfer.Kind.WITHDRAWAL_RETURNED, at)",
        "del available",
        "payments/tests/test_withdrawals.py",
    ),
    Bug(
        "a lost chargeback is refunded a second time",
        "payments/services/chargebacks.py",
        'HeldFunds.objects.filter(pk=held.pk).update(charged_back=F("charged_back") + from_held)',
        "pass",
        "payments/tests/test_chargebacks.py",
    ),
    Bug(
        "earnings clear while their time is not over",
        "payments/services/clearing.py",
        "HeldFunds.objects.filter(available_at__lte=at, cleared_at=None)",
        "HeldFunds.objects.filter(available_at__isnull=False, cleared_at=None)",
        "payments/tests/test_clearing.py",
    ),
    Bug(
        "earnings that clear together are all dated when the last of them was due",
        "payments/services/clearing.py",
        "            at=held.available_at,\n",
        "",
        "payments/tests/test_clearing.py",
    ),
    Bug(
        "a document number is left out",
        "payments/services/documents.py",
        "enumerate(documents, start=last + 1)",
        "enumerate(documents, start=last + 2)",
        "payments/tests/test_documents.py",
    ),
    Bug(
        "Stripe is asked without our key",
        "payments/gateways/stripe_charges.py",
        'intent = client().v1.payment_intents.create(_terms(request), {"idempotency_key": request.key})',
        "intent = client().v1.payment_intents.create(_terms(request))",
        "payments/tests/test_contract.py payments/tests/test_stripe.py",
    ),
    Bug(
        "a declined payment can still be confirmed at Stripe",
        "payments/gateways/stripe_charges.py",
        "return _ended_by_decline(_intent_of(error), why_declined(_error_of(error)))",
        "return Outcome(State.FAILED, _intent_of(error).id, why_declined(_error_of(error)))",
        "payments/tests/test_contract.py payments/tests/test_stripe.py",
    ),
    Bug(
        "an old signature of Stripe's is taken for a new one",
        "payments/gateways/stripe_events.py",
        "int(stamp) < clock.now().timestamp() - TOLERANCE",
        "int(stamp) < 0",
        "payments/tests/test_contract.py payments/tests/test_stripe.py payments/tests/test_gateways.py",
    ),
    Bug(
        "the sandbox gives back more than it took",
        "payments/gateways/sandbox.py",
        'return _("That is more than is left of the charge.")',
        'return ""',
        "payments/tests/test_refunds.py payments/tests/test_contract.py",
    ),
]


def caught(bug: Bug) -> str:
    """The test that fails with this bug in the source; empty if none does."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "source"
        shutil.copytree(ROOT, copy, ignore=NOT_SOURCE)
        file = copy / bug.file
        file.write_text(file.read_text().replace(bug.text, bug.instead, 1))
        servers = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "DJANGO_SETTINGS_MODULE")
        # Nor what this pytest says of itself: the one in the copy is nobody's worker.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        environment = {name: value for name, value in inherited.items() if name not in servers}
        tests = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "--no-header",
            *bug.tests.split(),
        ]
        ran = subprocess.run(tests, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    # Not the lines of a log, which begin with ERROR as well.
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+::\S+)", ran.stdout, re.MULTILINE)
    return failed[0] if ran.returncode == 1 and failed else ""


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.says)
def test_a_seeded_bug_is_caught(bug: Bug) -> None:
    assert caught(bug), "no test sees it"
