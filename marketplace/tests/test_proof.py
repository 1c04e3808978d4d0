"""The proof of the ledger as a command, every night, and in admin; a broken one is loud."""

import json
import logging
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from kombu.exceptions import OperationalError

from marketplace import clock, tasks
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.models import LedgerProof
from marketplace.notifications.models import Notice
from marketplace.proof.proving import ALIVE, ALWAYS
from orders.tests.factories import make_accepted
from payments.models import HeldFunds, Transfer
from payments.services import issue_documents

SELLER = "I6 the seller gets the price that is left less the commission on it, half up"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.breaks_promises]


@pytest.fixture
def lied(transactional_db: None) -> HeldFunds:
    """Held funds whose counter says another sum than their transfers."""
    make_accepted()
    held = HeldFunds.objects.get(released__gt=0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE payments_heldfunds SET refunded_price = 100 WHERE id = %s", [held.pk])
    return held


def staff(group: str) -> User:
    person = UserFactory(is_staff=True)
    person.groups.add(Group.objects.get(name=group))
    return person


def printed(*options: str) -> str:
    out = StringIO()
    call_command("prove_ledger", *options, stdout=out, no_color=True)
    return out.getvalue()


def test_the_command_prints_every_promise_with_its_rows_difference_and_time() -> None:
    make_accepted()
    issue_documents(at=clock.now())
    lines = printed().splitlines()
    assert [line.split(maxsplit=3)[3] for line in lines[1:-1]] == [promise.says for promise in (*ALWAYS, *ALIVE)]
    assert {line.split()[1] for line in lines[1:-1]} == {"0"}
    funded = next(line for line in lines if "I5 at most one success funds" in line)
    assert funded.split()[0] == "1"
    assert lines[-1].endswith("Every promise holds")


def test_the_command_speaks_json() -> None:
    make_accepted()
    issue_documents(at=clock.now())
    proof = json.loads(printed("--json"))
    assert proof["holds"] is True
    assert [result["broken"] for result in proof["results"]] == [0] * len(proof["results"])
    assert proof["rows"] == sum(result["rows"] for result in proof["results"])
    assert set(proof["results"][0]) == {"says", "rows", "broken", "off", "examples", "seconds"}


def test_a_broken_promise_exits_with_1_names_the_rows_and_tells_finance_and_superusers(
    lied: HeldFunds, caplog: pytest.LogCaptureFixture
) -> None:
    finance, root, support = staff("Finance"), UserFactory(is_staff=True, is_superuser=True), staff("Support")
    out = StringIO()
    with caplog.at_level(logging.CRITICAL), pytest.raises(CommandError) as failure:
        call_command("prove_ledger", stdout=out, no_color=True)
    assert failure.value.returncode == 1
    # 100 less in price is 80 less for the seller; and the fee on 59.00 is 5 less than on 60.00.
    wrong = [line.split(maxsplit=3) for line in out.getvalue().splitlines() if "broken by" in line]
    assert [(off, says) for _, off, _, says in wrong] == [
        (
            "80",
            f"{SELLER}: broken by 1 of 1, off by 80: {lied.pk}",
        ),
        ("105", f"I6 a refunded part gives back the part and the fee on it: broken by 1 of 1, off by 105: {lied.pk}"),
    ]
    told = Notice.objects.filter(kind="proof_failed")
    assert {notice.recipient for notice in told} == {finance, root}
    assert support not in {notice.recipient for notice in told}
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


def test_beat_proves_the_ledger_every_night(settings: object) -> None:
    schedule = settings.CELERY_BEAT_SCHEDULE["prove the ledger"]  # type: ignore[attr-defined]
    assert schedule["task"] == tasks.prove_ledger.name
    tasks.prove_ledger()
    assert LedgerProof.objects.latest().holds


def test_a_proof_that_takes_long_is_left_to_a_worker(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_accepted()
    issue_documents(at=clock.now())
    monkeypatch.setattr("marketplace.backoffice.proofs.AT_ONCE", Transfer.objects.count() - 1)
    client.force_login(staff("Finance"))
    app = tasks.prove_ledger.app
    with app.connection_for_write() as broker:
        broker.default_channel.queue_purge(app.conf.task_default_queue)
        queued = client.post("/admin/marketplace/ledgerproof/now/", follow=True)
        message = broker.SimpleQueue(app.conf.task_default_queue).get(timeout=5)
        message.ack()
    assert "The proof is being made; it appears here when it is done." in queued.text
    assert (message.headers["task"], LedgerProof.objects.count()) == (tasks.prove_ledger.name, 0)

    def away(**options: object) -> None:
        raise OperationalError("The queue is away.")

    monkeypatch.setattr(tasks.prove_ledger, "apply_async", away)
    refused = client.post("/admin/marketplace/ledgerproof/now/", follow=True)
    assert "The queue cannot be reached: nothing was started. Try later." in refused.text
    monkeypatch.setattr("marketplace.backoffice.proofs.AT_ONCE", Transfer.objects.count())
    client.post("/admin/marketplace/ledgerproof/now/")
    assert LedgerProof.objects.get().holds


def test_staff_see_proofs_and_make_one_now(client: Client, lied: HeldFunds) -> None:
    client.force_login(staff("Finance"))
    made = client.post("/admin/marketplace/ledgerproof/now/", follow=True)
    assert made.status_code == 200
    proof = LedgerProof.objects.get()
    assert made.redirect_chain == [(f"/admin/marketplace/ledgerproof/{proof.pk}/change/", 302)]
    assert "2 broken promises" in made.text
    assert f"first: {lied.pk}" in made.text
    assert client.get("/admin/marketplace/ledgerproof/").status_code == 200
    assert "home-figure--alarm" in client.get("/admin/").text
    assert client.get("/admin/marketplace/ledgerproof/now/").status_code == 405
    client.force_login(UserFactory(is_staff=True))
    assert client.post("/admin/marketplace/ledgerproof/now/").status_code == 403
    assert "proof of the ledger" not in client.get("/admin/").text
    assert client.get(f"/admin/marketplace/ledgerproof/{proof.pk}/change/").status_code == 403
    assert LedgerProof.objects.count() == 1
