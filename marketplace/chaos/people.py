"""The load: buyers and sellers at their browsers, each in a thread, doing whatever the pages offer them."""

import random
import re
import secrets
import threading
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import urlsplit

from marketplace.chaos.notebook import Fate, Notebook
from marketplace.chaos.pages import Answer, Browser, Form, Page, Unanswered

ORDER = re.compile(r"^/orders/(?!new)([\w-]+)/$")
CASE = re.compile(r"^/cases/([\w-]+)/$")
EARNINGS = re.compile(r"^/earnings/(withdraw|withdrawals|debt)/(\d+)?")
# What is noted of an act is its words where it has any, else what it was done to: the first group.
ACTS = {
    "place": r"^/orders/([\w-]+)/place/$",
    "decline": r"^/orders/([\w-]+)/decline/$",
    "stop": r"^/orders/([\w-]+)/stop/$",
    "withdraw": r"^/orders/([\w-]+)/withdraw/$",
    "message": r"^/orders/([\w-]+)/messages/$",
    "start": r"^/orders/[\w-]+/milestones/(\d+)/start/$",
    "pay": r"^/orders/[\w-]+/milestones/(\d+)/pay/$",
    "abandon": r"^/orders/[\w-]+/milestones/(\d+)/abandon/$",
    "accept": r"^/orders/[\w-]+/milestones/(\d+)/accept/$",
    "continue": r"^/orders/[\w-]+/milestones/(\d+)/continue/$",
    "revise": r"^/orders/[\w-]+/milestones/(\d+)/revise/$",
    "deliver": r"^/orders/[\w-]+/milestones/(\d+)/deliver/$",
    "grant": r"^/orders/[\w-]+/milestones/(\d+)/grant/$",
    "case": r"^/orders/([\w-]+)/cases/$",
    "answer case": r"^/cases/([\w-]+)/$",
}
OFTEN = {"pay": 8, "deliver": 8, "start": 5, "place": 5, "accept": 3, "continue": 3, "revise": 3, "message": 2}
OF_CASE = {"accept", "decline", "withdraw", "escalate"}
CASES = ("cancel-milestone", "cancel-order")
CARDS = {
    "card_ok": 12,
    "card_lost": 3,
    "card_processing": 3,
    "card_declined": 2,
    "card_authentication": 2,
    "card_processing_fails": 1,
    "card_refund_refused": 1,
}
BANKS = ("bank_ok", "bank_ok", "bank_processing", "bank_unsettled", "bank_lost", "bank_returned", "bank_closed")
PASSWORD = "chaos-and-order-17"  # noqa: S105 – of people who live for minutes, on this machine


class Person(threading.Thread):
    """Signs in, and goes on acting until `over` is set. What is theirs to remember is in the notebook."""

    def __init__(
        self, email: str, gigs: list[str], port: int, notebook: Notebook, over: threading.Event, seed: str
    ) -> None:
        super().__init__(name=email, daemon=True)
        self.email, self.gigs, self.port, self.notebook, self.over = email, gigs, port, notebook, over
        self.random = random.Random(f"{seed} {email}")  # noqa: S311
        self.address = f"10.0.0.{self.random.randrange(1, 255)}"
        self.browser = Browser(port, self.address)
        self.signed_in = False
        self.lists = ("/orders/", "/sales/") if gigs else ("/sales/",)
        self.others: list[str] = []  # handles of buyers, for offers
        self.has_bank = False

    def run(self) -> None:
        while not self.over.is_set():
            try:
                if self.signed_in:
                    self.act()
                else:
                    self.sign_in()
            except Unanswered:
                self.over.wait(0.2)
            except Exception as problem:  # a person never ends silently: the run would be shorter than it says
                self.notebook.note_wrong(f"{self.email} met {problem!r}")
                self.over.wait(1)

    def sign_in(self) -> None:
        self.browser = Browser(self.port, self.address)
        form = self.get("/accounts/login/").page.form_to("/accounts/login/$")
        if form is None:
            self.over.wait(0.3)
            return
        done = self.post(form, login=self.email, password=PASSWORD)
        self.signed_in = bool(done.goes_to)
        if not self.signed_in:
            self.over.wait(2)

    def act(self) -> None:
        """One look at the lists, and one act on one of their orders, or a new one."""
        dice = self.random.random()
        if self.gigs and dice < 0.2:
            self.order(self.random.choice(self.gigs))
            return
        if not self.gigs and dice < 0.1:
            self.offer()
            return
        if not self.gigs and dice < 0.3:
            self.see_to_earnings()
            return
        if dice > 0.985:
            self.signed_in = False  # and in again: the session that ends here is not looked at any more
            return
        answer = self.get(self.lists[0] + self.random.choice(["", "?state=waiting", "?state=under-way"]))
        numbers = [link for link in answer.page.links if ORDER.match(urlsplit(link).path)]
        if not numbers:
            self.over.wait(0.2)
            return
        page = self.get(self.random.choice(numbers)).page
        found = self.offered(page)
        if not found:
            return
        names = sorted(found)
        name = self.random.choices(names, [OFTEN.get(name, 1) for name in names])[0]
        self.do(name, found[name], page)

    def offered(self, page: Page) -> dict[str, str]:
        """The acts that a page of an order has a form or a link for, with their addresses."""
        addresses = {*page.links, *(form.action for form in page.forms)}
        paths = {urlsplit(address).path for address in addresses}
        return {name: path for path in sorted(paths) for name, form in ACTS.items() if re.match(form, path)}

    def do(self, name: str, path: str, page: Page) -> None:
        if name == "answer case":
            self.answer_case(path)
            return
        if name == "case":
            if self.random.random() < 0.5:
                self.open_case(path)
            return
        form = page.form_to(f"^{re.escape(path)}$") or self.get(path).page.form_to(f"^{re.escape(path)}$")
        if form is None:
            return
        words = self.words()
        match = re.match(ACTS[name], path)
        assert match
        what = words if name in ("message", "revise", "deliver") else match[1]
        # Both ways to accept make the same event.
        done = self.decided("accept" if name == "continue" else name, what, form, **self.filled(form, words))
        if done and done.goes_to.startswith("/sandbox/authenticate/"):
            self.confirm(done.goes_to)

    def order(self, gig: str) -> None:
        form = self.get(f"/gigs/{gig}/order/").page.form_to("/order/$")
        if form is None:
            return
        words = self.words()
        done = self.decided("order", words, form, **self.filled(form, words))
        if done and done.goes_to.startswith("/sandbox/authenticate/"):
            self.confirm(done.goes_to)

    def offer(self) -> None:
        form = self.get("/offers/new/").page.form_to("/offers/new/$")
        if form is None:
            return
        words = self.words()
        values = {"buyer": self.random.choice(self.others), "title": "Made to measure", "brief": words}
        for name in form.values:
            if name.endswith("-title"):
                values[name] = "A step"
            elif name.endswith("-price"):
                values[name] = "40"
            elif name.endswith("-delivery_days"):
                values[name] = "3"
            elif name.endswith("-revisions"):
                values[name] = "1"
        self.decided("offer", words, form, **values)

    def see_to_earnings(self) -> None:
        """Connect a bank, now and then another, and withdraw; or call it off, or pay what is owed."""
        page = self.get("/earnings/").page
        if not self.has_bank or self.random.random() < 0.1:
            self.connect_bank(page)
            return
        paths = sorted(link for link in page.links if EARNINGS.match(link))
        if not paths:
            return
        path = self.random.choice(paths)
        match = EARNINGS.match(path)
        assert match
        form = self.proved(self.get(path)).page.form_to(f"^{re.escape(path)}$")
        if form is None:
            return
        if match[1] == "debt":
            self.decided("pay debt", self.email, form)
        elif match[2]:
            if self.random.random() < 0.3:
                self.decided("call off", match[2], form)
        else:
            self.withdraw(form)

    def withdraw(self, form: Form) -> None:
        """An amount that this person never asked for before, up to a quarter of what is there."""
        most = Decimal(form.values["amount"]) / 4
        amount = str(max(Decimal(10), most * self.random.randrange(100) / 100).quantize(Decimal("1.00")))
        asked = self.proved(self.post(form, amount=amount))
        confirm = asked.page.form_to(f"^{re.escape(form.action)}$")
        what = f"{self.email} {amount}"
        if asked.status == 200 and confirm and not self.notebook.knows("withdraw earnings", what):
            self.decided("withdraw earnings", what, confirm, confirm="yes")

    def connect_bank(self, page: Page) -> None:
        form = page.form_to("^/earnings/bank/$")
        if form is None:
            return
        path = self.proved(self.post(form, change="yes")).goes_to
        choice = self.get(path).page.form_to("^/sandbox/bank/") if path.startswith("/sandbox/bank/") else None
        if choice is not None:
            self.has_bank = bool(self.post(choice, account=self.random.choice(BANKS)).goes_to)

    def proved(self, answer: Answer) -> Answer:
        """Who is asked for the password once more signs in anew, next."""
        if answer.goes_to.startswith("/accounts/reauthenticate/"):
            self.signed_in = False
        return answer

    def open_case(self, path: str) -> None:
        path = f"{path}{self.random.choice(CASES)}/"
        form = self.get(path).page.form_to(f"^{re.escape(path)}$")
        if form is None:
            return
        words = self.words()
        reason = self.random.choice([value for value in form.choices.get("reason", []) if value] or [""])
        self.decided("open case", words, form, reason=reason, statement=words)

    def answer_case(self, path: str) -> None:
        page = self.get(path).page
        forms = [form for form in page.forms if form.action.rstrip("/").rpartition("/")[2] in OF_CASE]
        if not forms:
            return
        form = self.random.choice(forms)
        act = form.action.rstrip("/").rpartition("/")[2]
        match = CASE.match(path)
        assert match
        self.decided(f"{act} case", match[1], form, text=self.words())

    def confirm(self, path: str) -> None:
        """At the page of the payer's bank; now and then the payer just leaves."""
        form = self.get(path).page.form_to("/sandbox/authenticate/")
        if form and self.random.random() < 0.8:
            self.post(form, answer=self.random.choice(["approve", "approve", "decline"]))

    def filled(self, form: Form, words: str) -> dict[str, str]:
        values: dict[str, str] = {name: words for name in ("message", "text", "brief") if name in form.values}
        if "method" in form.choices:
            known = [code for code in form.choices["method"] if code in CARDS]
            values["method"] = self.random.choices(known, [CARDS[code] for code in known])[0]
        return values

    def words(self) -> str:
        """Words that nobody has said before."""
        return f"{self.email.partition('@')[0]} {secrets.token_hex(8)}"

    def decided(self, act: str, what: str, form: Form, **values: str) -> Answer | None:
        """Post, and write down how it was answered."""
        try:
            done = self.post(form, **values)
        except Unanswered:
            self.notebook.note(act, what, Fate.UNDECIDED)
            return None
        if done.status >= 500:
            fate = Fate.UNDECIDED
        elif done.status == 302 and not done.goes_to.startswith("/accounts/"):
            fate = Fate.ACKNOWLEDGED
        else:
            fate = Fate.REFUSED
        self.notebook.note(act, what, fate)
        return done

    def get(self, path: str) -> Answer:
        return self._seen("GET", path, lambda: self.browser.get(path))

    def post(self, form: Form, **values: str) -> Answer:
        return self._seen("POST", form.action, lambda: self.browser.post(form.action, form.values | values))

    def _seen(self, method: str, path: str, ask: Callable[[], Answer]) -> Answer:
        try:
            answer = ask()
        except Unanswered:
            self.notebook.note_silence()
            raise
        self.notebook.note_answer(answer.status)
        if answer.status >= 500 and not (answer.status == 503 and "retry-after" in answer.headers):
            self.notebook.note_wrong(f"{method} {path} was answered by {answer.status}")
        elif answer.status in (400, 403, 404, 429):
            self.notebook.note_wrong(f"{self.email}: {method} {path} was answered by {answer.status}")
        elif self.signed_in and answer.goes_to.startswith("/accounts/login/"):
            self.signed_in = False
            self.notebook.note_wrong(f"{self.email} had signed in, and {method} {path} asks for it again")
        if answer.status >= 500:
            self.over.wait(0.3)
        return answer
