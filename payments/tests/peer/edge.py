"""The payment peer's front: the parts of Stripe's API that we use, in front of localstripe.

    python edge.py <port of localstripe> <port to listen on>

A process of its own, standard library only. It answers as Stripe does where localstripe does not: idempotency keys,
refusals, refunds that take a while, disputes, accounts, transfers, and events signed and delivered until accepted.
`/_edge/…` is for the tests: see `Peer` in `__init__.py`. `/v3/` is a stand-in for Stripe.js.
"""

import hashlib
import hmac
import html
import json
import re
import sys
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from back_office import BackOffice
from world import Fields, Refusal, World, number

RETRIES = (0, 0.2, 1, 3, 10)
# What Stripe remembers of a refused request, to answer the same when it is repeated: refusals that come after the
# request itself was found to be in order.
REMEMBERED = ("card_error", "balance_insufficient", "charge_disputed", "charge_already_refunded")
SECRETLESS = re.compile(r"/v1/payment_intents/\w+(/confirm|/_authenticate)?")


class Edge:
    def __init__(self, upstream_port: int, port: int) -> None:
        self.lock = threading.RLock()
        self.address = f"http://127.0.0.1:{port}"
        self.world = World(upstream_port, self.announce)
        self.office = BackOffice(self.world, self.address)
        self.hook: Fields = {}
        self.begin_anew(None)

    def begin_anew(self, now: float | None) -> None:
        self.events: list[Fields] = []
        self.asked: list[Fields] = []
        self.faults: list[Fields] = []
        self.answers: dict[str, tuple[Any, int, bytes]] = {}
        self.hook = {}
        self.world.reset(now)

    # Events

    def announce(self, kind: str, about: Fields, now: float) -> None:
        event = {
            "id": number("evt_"),
            "object": "event",
            "type": kind,
            "created": int(now),
            "livemode": False,
            "pending_webhooks": 1,
            "data": {"object": json.loads(json.dumps(about))},
        }
        self.events.append(event)
        if self.hook:
            threading.Thread(target=self.deliver, args=(event, dict(self.hook)), daemon=True).start()

    def deliver(self, event: Fields, hook: Fields) -> None:
        body = json.dumps(event).encode()
        for wait in RETRIES:
            time.sleep(wait)
            stamp = int(self.world.now())
            signature = hmac.new(hook["secret"].encode(), b"%d.%s" % (stamp, body), hashlib.sha256).hexdigest()
            headers = {"Content-Type": "application/json", "Stripe-Signature": f"t={stamp},v1={signature}"}
            try:
                with urllib.request.urlopen(urllib.request.Request(hook["url"], body, headers), timeout=10):
                    return
            except OSError:
                continue

    # Stripe's API

    def answer(self, method: str, path: str, fields: Fields) -> Fields:
        world, office = self.world, self.office
        parts = path.removeprefix("/v1/").split("/")
        expand = fields.get("expand", [])
        match method, parts:
            case "POST", ["customers"]:
                return world.create_customer(fields)
            case "GET", ["payment_methods", card_id]:
                return world.card(card_id)
            case "POST", ["payment_methods", card_id, "detach"]:
                return world.detach_card(card_id)
            case "POST", ["payment_intents"]:
                return world.intent(world.create_intent(fields)["id"], expand)
            case "GET", ["payment_intents"]:
                return page(world.intents_like(fields), path, fields)
            case "GET", ["payment_intents", intent_id]:
                return world.intent(intent_id, expand)
            case "POST", ["payment_intents", intent_id, "cancel"]:
                world.cancel(intent_id, fields)
                return world.intent(intent_id, expand)
            case "POST", ["payment_intents", intent_id, "confirm"]:
                entered = fields.get("payment_method_data", {}).get("card")
                card_id = world.create_card(entered) if entered else fields["payment_method"]
                return world.confirm(intent_id, card_id)
            case "POST", ["payment_intents", intent_id, "_authenticate"]:
                return world.authenticate(intent_id, fields["success"] == "true")
            case "POST", ["refunds"]:
                return office.create_refund(fields)
            case "GET", ["refunds"]:
                return page(office.refunds_like(fields), path, fields)
            case "GET", ["refunds", refund_id]:
                return office.refund(refund_id)
            case "POST", ["accounts"]:
                return office.create_account(fields)
            case "GET", ["accounts", account_id]:
                return office.account(account_id)
            case "POST", ["account_links"]:
                return office.create_account_link(fields)
            case "POST", ["transfers"]:
                return office.create_transfer(fields)
            case "GET", ["transfers"]:
                return page(office.transfers_like(fields), path, fields)
            case "GET", ["transfers", transfer_id]:
                return office.transfer(transfer_id)
        raise Refusal(404, f"Unrecognized request URL ({method}: {path}).")

    # What the tests ask for

    def command(self, name: str, of: Fields) -> Any:
        world, office = self.world, self.office
        match name:
            case "reset":
                world.upstream("DELETE", "/_config/data")
                return self.begin_anew(of["now"])
            case "webhook":
                self.hook = of
            case "fault":
                self.faults.append(of)
            case "events":
                return self.events
            case "asked":
                return self.asked
            case "slow":
                world.slow_charges, world.slow_refunds = of["charges"], of["refunds"]
            case "card":
                card_id = world.create_card({"number": of["number"]})
                return world.attach_card(card_id, {"customer": of["customer"]}) if of["customer"] else {"id": card_id}
            case "confirm":
                return world.confirm(of["intent"], world.create_card({"number": of["number"]}))
            case "authenticate":
                return world.authenticate(of["intent"], of["approved"])
            case "finish_charge":
                return world.finish_charge(of["intent"], of["succeeded"])
            case "finish_refund":
                return office.finish_refund(of["refund"], of["status"], of["reason"])
            case "dispute":
                return office.open_dispute(of["intent"], of["amount"])
            case "close_dispute":
                return office.close_dispute(of["dispute"], of["status"])
            case "complete_account":
                return office.complete_account(of["account"], of["disabled_reason"])
            case "settle_balance":
                world.settled = of["settled"]
            case "reverse_transfer":
                return office.reverse_transfer(of["transfer"])
            case _:
                raise Refusal(404, f"No such command: {name}")
        return {}

    def next_fault(self, method: str, path: str) -> str:
        for fault in self.faults:
            if fault["times"] > 0 and fault["path"] in f"{method} {path}":
                fault["times"] -= 1
                return fault["kind"]
        return ""


def page(found: list[Fields], path: str, fields: Fields) -> Fields:
    start = 0
    if "starting_after" in fields:
        start = [one["id"] for one in found].index(fields["starting_after"]) + 1
    end = start + int(fields.get("limit", 10))
    return {"object": "list", "url": path, "data": found[start:end], "has_more": end < len(found)}


def nested(pairs: list[tuple[str, str]]) -> Fields:
    """`a[b][c]=1` as dictionaries in dictionaries, `a[0]=1` as a list."""
    tree: Fields = {}
    for name, value in pairs:
        *path, last = re.findall(r"[^\[\]]+", name)
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
        branch[last] = value
    if isinstance(tree.get("expand"), dict):
        tree["expand"] = list(tree["expand"].values())
    return tree


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Each answer leaves in one piece; in two, every one waits 40 ms for the other side's acknowledgment.
    wbufsize = -1
    disable_nagle_algorithm = True
    edge: Edge

    def go(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        if path == "/_edge/onboarding":
            self.onboarding(urllib.parse.parse_qs(query), raw)
        elif path.startswith("/_edge/"):
            with self.edge.lock:
                try:
                    self.out(200, self.edge.command(path.removeprefix("/_edge/"), json.loads(raw or b"{}")))
                except Refusal as refusal:
                    self.out(refusal.status, {"error": refusal.error})
        elif path == "/v3/":
            script = (Path(__file__).parent / "stripe.js").read_bytes()
            self.send(200, script, "text/javascript; charset=utf-8")
        elif self.command == "OPTIONS":
            self.send(204, b"", "text/plain")
        else:
            self.api(path, urllib.parse.parse_qsl(query or raw.decode(), keep_blank_values=True))

    do_GET = do_POST = do_DELETE = do_OPTIONS = go  # noqa: N815

    def api(self, path: str, pairs: list[tuple[str, str]]) -> None:
        edge, key = self.edge, self.headers.get("Idempotency-Key", "")
        fields = nested(pairs)
        asked = {"method": self.command, "path": path, "key": key, "fields": {**fields}}
        edge.asked.append({**asked, "version": self.headers.get("Stripe-Version", "")})
        fault = edge.next_fault(self.command, path)
        if fault == "never_arrives":
            self.hang_up()
            return
        if fault == "paid_just_now":
            with edge.lock:
                edge.world.confirm(path.split("/")[3], edge.world.create_card({"number": "4242424242424242"}))
        status, body, repeated = self.faulty_answer(fault) or self.answer(path, fields, key)
        if fault == "answer_lost":
            self.hang_up()
            return
        if fault in ("slow", "time_out"):
            time.sleep({"slow": 0.3, "time_out": 5}[fault])
        self.send(status, body, "application/json", {"idempotent-replayed": "true"} if repeated else {})

    def faulty_answer(self, fault: str) -> tuple[int, bytes, bool] | None:
        refusal = {
            "bad_request": Refusal(400, "Something about the request is wrong."),
            "bare_decline": Refusal(402, "Your card was declined.", kind="card_error", code="card_declined"),
            "no_balance": Refusal(400, "You have insufficient funds in your account.", code="balance_insufficient"),
            "error_500": Refusal(500, "Something went wrong.", kind="api_error"),
            "rate_limited": Refusal(429, "Too many requests hit the API too quickly.", code="rate_limit"),
            "in_use": Refusal(
                409,
                "There is currently another in-progress request using this Idempotent Key.",
                kind="idempotency_error",
                code="idempotency_key_in_use",
            ),
        }.get(fault)
        return refusal and (refusal.status, json.dumps({"error": refusal.error}).encode(), False)

    def answer(self, path: str, fields: Fields, key: str) -> tuple[int, bytes, bool]:
        edge, asked = self.edge, (path, json.dumps(fields, sort_keys=True))
        with edge.lock:
            if key in edge.answers:
                before, status, body = edge.answers[key]
                if before == asked:
                    return status, body, True
                message = "Keys for idempotent requests can only be used with the same parameters they were first used"
                error = {"type": "idempotency_error", "message": f"{message} with."}
                return 400, json.dumps({"error": error}).encode(), False
            try:
                self.refuse_strangers(path, fields)
                fields.pop("key", None)
                status, answer = 200, edge.answer(self.command, path, fields)
            except Refusal as refusal:
                status, answer = refusal.status, {"error": refusal.error}
            body = json.dumps(answer).encode()
            error = answer.get("error", {}) if status != 200 else {}
            if key and (status == 200 or {error.get("code"), error.get("type")} & set(REMEMBERED)):
                edge.answers[key] = (asked, status, body)
            return status, body, False

    def refuse_strangers(self, path: str, fields: Fields) -> None:
        """Whoever has the secret key may do all; the payer's browser has the secret of one payment."""
        word = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if word.startswith("sk_test_") and word != "sk_test_wrong":
            return
        if fields.get("key", "").startswith("pk_test_") and SECRETLESS.fullmatch(path):
            secret = fields.pop("client_secret", "")
            if secret == self.edge.world.intent(path.split("/")[3])["client_secret"]:
                return
        raise Refusal(401, "Invalid API Key provided.")

    def onboarding(self, query: dict[str, list[str]], raw: bytes) -> None:
        """The page where a seller gives their details: here, by one button."""
        if self.command == "POST":
            given = urllib.parse.parse_qs(raw.decode())
            with self.edge.lock:
                self.edge.office.complete_account(given["account"][0], None)
            self.send(303, b"", "text/plain", {"Location": given["return_url"][0]})
            return
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(query[name][0])}">'
            for name in ("account", "return_url")
        )
        form = f'<form method="post">{hidden}<button>Give the details</button></form>'
        head = '<!doctype html><html lang="en"><title>Payout account</title>'
        self.send(200, f"{head}<h1>Payout account</h1>{form}".encode(), "text/html; charset=utf-8")

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def out(self, status: int, answer: Any) -> None:
        self.send(status, json.dumps(answer).encode(), "application/json")

    def send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        # The payer's browser asks from our pages, which are of another origin.
        allowed = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
        allowed["Access-Control-Allow-Methods"] = "GET, POST"
        try:
            self.send_response(status)
            for name, value in {**allowed, **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            # Whoever asked did not wait for the answer.
            self.close_connection = True

    def log_message(self, *of: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


if __name__ == "__main__":
    Handler.edge = Edge(int(sys.argv[1]), int(sys.argv[2]))
    Server(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
