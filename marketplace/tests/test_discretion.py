"""No personal data, password, token or card reaches a log, whatever happens: a journey with canaries, all logs read."""

import io
import logging
import os
import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError, connection
from django.test import Client
from pytest_django import Settings

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.logs import Discreet
from marketplace.notifications.models import CalendarFeed
from marketplace.notifications.tasks import send_unsent
from marketplace.tests.visitor import Visitor
from orders import services as orders
from orders.tasks import settle_charges, settle_due
from orders.tests.factories import make_offer, planned
from payments.tests.steps import connect, earn

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL, NAME, PASSWORD, WRONG = "karl.canary@secret.example", "Karl Canarius", "canary-pass-word-1", "canary-typo-77"
MESSAGE, BANK = "canary whispers in an order", "DE00canaryiban"
CANARIES = re.compile(r"canar|secret\.example", re.IGNORECASE)
# Third parties' own debugging, which nobody turns on where people are: SQL with its values, whole requests.
CHATTY = ("django.db.backends", "urllib3", "stripe", "asyncio", "django.template")


class Lines(logging.Handler):
    """Keeps what is logged twice: as the site writes it, and as Python would."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.written, self.plain = io.StringIO(), io.StringIO()
        self.ours, self.pythons = Discreet("%(levelname)s %(name)s %(message)s"), logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(CHATTY):
            print(self.ours.format(record), file=self.written)
            record.exc_text = None
            print(self.pythons.format(record), file=self.plain)
            record.exc_text = None


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything down to DEBUG, of our own loggers and of what we build on."""
    handler, root = Lines(), logging.getLogger()
    names = ["", "marketplace", "orders", "payments", "resolution", "django", "celery", "allauth", "gunicorn"]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(handler)
    django = logging.getLogger("django")
    propagates, django.propagate = django.propagate, True
    yield handler
    django.propagate = propagates
    root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


class RefusingMailServer(threading.Thread):
    """Takes a connection and refuses every recipient by name, as real servers do."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as talk:
                talk.write(b"220 ready\r\n")
                talk.flush()
                for line in talk:
                    refused = line.upper().startswith(b"RCPT")
                    known = b"550 no such person " + line.strip() if refused else b"250 ok"
                    talk.write((b"221 bye" if line.upper().startswith(b"QUIT") else known) + b"\r\n")
                    talk.flush()


def test_a_journey_leaves_nothing_personal_in_any_log(lines: Lines, client: Client, settings: Settings) -> None:
    form = {"name": NAME, "email": EMAIL, "password1": PASSWORD, "password2": PASSWORD, "time_zone": "UTC"}
    client.post("/accounts/signup/", form)
    client.post("/accounts/signup/", form)
    client.logout()
    client.post("/accounts/login/", {"login": EMAIL, "password": WRONG})
    client.post("/accounts/login/", {"login": EMAIL, "password": PASSWORD})
    karl = User.objects.get(email=EMAIL)
    assert client.session["_auth_user_id"] == str(karl.pk)
    EmailAddress.objects.filter(user=karl).update(verified=True)
    client.post("/accounts/password/reset/", {"email": EMAIL})
    key = re.findall(r"/password/reset/key/(\S+?)/", str(mail.outbox[-1].body))[0]
    client.get(f"/accounts/password/reset/key/{key}/")
    client.get(f"/accounts/password/reset/key/{key}/nothing-there/")
    client.post("/accounts/password/change/", {"oldpassword": WRONG, "password1": PASSWORD, "password2": PASSWORD})

    order = make_offer(buyer=karl, seller=UserFactory.create(), plan=[planned()])
    orders.place(order, by=karl, method="card_ok")
    orders.send_message(order, by=karl, text=MESSAGE)
    earn(karl, at=clock.now())
    connect(karl, at=clock.now())
    visitor = Visitor(karl)
    page = visitor.open("/earnings/withdraw/USD/")
    assert page.status == 200
    visitor.client.post("/earnings/withdraw/USD/", {"amount": BANK, "confirm": "yes"})
    assert client.get("/orders/", {"q": f"{NAME} {EMAIL}"}).status_code == 200

    token = CalendarFeed.objects.create(owner=karl).token
    Client().get(f"/calendar/{token}.ics/nothing/")
    settings.ROOT_URLCONF = "marketplace.tests.failing_urls"
    broken = Client(raise_request_exception=False)
    broken.post("/tests/500", {"password": PASSWORD, "email": EMAIL, "card": "4242424242424242"})
    broken.get(f"/no-such-page/{EMAIL}/")
    body = f'{{"id": "evt_1", "email": "{EMAIL}", "card": "4242424242424242"}}'
    refused = broken.post("/webhooks/sandbox/", body, content_type="application/json", HTTP_SANDBOX_SIGNATURE="canary")
    assert refused.status_code == 400
    for task in (settle_due, settle_charges, send_unsent):
        task()

    server = RefusingMailServer()
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    broken.post("/accounts/password/reset/", {"email": EMAIL})
    orders.send_message(order, by=order.seller, text=MESSAGE)
    send_unsent()
    server.listening.close()
    try:
        User.objects.create_user(EMAIL, name=NAME)
    except IntegrityError:
        logging.getLogger("orders").exception("It went wrong.")

    written = lines.written.getvalue()
    for what in ("signed in", "A password was wrong", "Internal Server Error: /tests/500", "Could not send", "It went"):
        assert what in written, what
    found = [line for line in written.splitlines() if CANARIES.search(line) or key in line or token in line]
    assert [line for line in found if __file__ not in line] == []
    assert "4242424242424242" not in written
    assert "already exists" not in written
    # The same lines, written by Python's own formatter, do name him: the test would notice.
    assert CANARIES.search(lines.plain.getvalue())
    assert token in lines.plain.getvalue()


def written(message: str) -> str:
    return Discreet("%(message)s").format(logging.LogRecord("orders", logging.ERROR, "", 0, message, (), None))


def test_a_value_of_several_lines_is_left_out_to_its_end() -> None:
    row = "null value\nDETAIL:  Failing row contains (7, canary\n\nwhispers).\n"
    assert written(f"{row}HINT:  Ask.") == "null value\nDETAIL: …\nHINT:  Ask."
    assert written(f"{row}\nThe above exception was") == "null value\nDETAIL: …\n\nThe above exception was"
    assert written(f"{row}Traceback (most") == "null value\nDETAIL: …\nTraceback (most"


@pytest.mark.parametrize("word", ["a" * 100_000, "a@" * 50_000, "a@a." * 25_000, "DETAIL:" * 15_000])
def test_a_long_word_is_written_soon(word: str) -> None:
    began = time.monotonic()
    written(word)
    assert time.monotonic() - began < 1


def test_the_log_of_the_site_and_of_its_workers_is_written_discreetly(settings: Settings) -> None:
    assert settings.LOGGING["formatters"]["line"]["()"] == f"{Discreet.__module__}.{Discreet.__name__}"
    assert settings.LOGGING["root"]["handlers"] == ["stderr"]
    assert settings.LOGGING["handlers"]["stderr"]["formatter"] == "line"
    assert settings.CELERY_WORKER_HIJACK_ROOT_LOGGER is False
    assert Discreet in [type(handler.formatter) for handler in logging.getLogger("gunicorn.error").handlers]
    assert settings.ADMINS == []  # errors are not mailed, with what was posted


def test_lines_that_others_write_lose_whom_they_name_and_nothing_else() -> None:
    def written(line: str) -> str:
        return Discreet("%(message)s").format(logging.LogRecord("x", logging.ERROR, "x", 1, line, None, None))

    row = f"Failing row contains (7, {NAME},\n\nHe wrote\n{MESSAGE})."
    chained = "The above exception was the direct cause of the following exception:"
    assert written(f"refused\nDETAIL:  {row}\n\n{chained}\nend") == f"refused\nDETAIL: …\n\n{chained}\nend"
    assert written(f"DETAIL:  {row}\nCONTEXT:  a\nDETAIL:  {row}") == "DETAIL: …\nCONTEXT:  a\nDETAIL: …"
    # As gunicorn says it.
    assert written("Invalid request from ip=2001:db8::1: no host") == "Invalid request from ip=… no host"
    assert written("zip=5, a chip=6") == "zip=5, a chip=6"


@pytest.mark.skipif("TEST_DATABASE_URL" in os.environ, reason="a PostgreSQL of one's own has settings of its own")
def test_the_private_postgresql_says_what_it_refused_and_not_which_values() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW log_error_verbosity")
        assert cursor.fetchone() == ("terse",)
