"""Pages as somebody without JavaScript uses them: addresses, forms with all their hidden fields, cookies."""

import http.client
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag, urlencode, urljoin

from marketplace.chaos.gate import HOST

PATIENCE = 20.0  # seconds that an answer is waited for


class Unanswered(Exception):
    """The connection broke, or nothing came in time: whatever was asked for may have happened or not."""


@dataclass
class Form:
    action: str
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


class Page(HTMLParser):
    """The links of a page and the forms that post, each filled in as it came."""

    def __init__(self, path: str, html: str) -> None:
        super().__init__()
        self.path = path
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._text_of = ""
        self._select = ""
        self.feed(html)

    def form_to(self, ending: str) -> Form | None:
        return next((form for form in self.forms if re.search(ending, form.action)), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(urldefrag(urljoin(self.path, given["href"])).url)
        elif tag == "form":
            self._form = Form(urldefrag(urljoin(self.path, given.get("action") or self.path)).url)
            if given.get("method", "").lower() == "post":
                self.forms.append(self._form)
        elif self._form is not None:
            self._field(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._text_of = ""
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._form and self._text_of:
            self._form.values[self._text_of] += data.removeprefix("\n")

    def _field(self, tag: str, given: dict[str, str]) -> None:
        assert self._form is not None
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "option" and self._select:
            self._form.choices[self._select].append(value)
            if "selected" in given or self._select not in self._form.values:
                self._form.values[self._select] = value
        elif not name or "disabled" in given:
            return
        elif tag == "textarea":
            self._text_of = name
            self._form.values[name] = ""
        elif tag == "select":
            self._select = name
            self._form.choices[name] = []
        elif tag == "input" and given.get("type") in ("radio", "checkbox"):
            if given["type"] == "radio":
                self._form.choices.setdefault(name, []).append(value)
            if "checked" in given:
                self._form.values[name] = value or "on"
        elif tag == "input" and given.get("type") not in ("file", "submit"):
            self._form.values[name] = value


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    html: str
    path: str

    @property
    def goes_to(self) -> str:
        """The path that it redirects to."""
        return urldefrag(urljoin(self.path, self.headers.get("location", ""))).url if self.status == 302 else ""

    @property
    def page(self) -> Page:
        return Page(self.path, self.html)


class Browser:
    """One person's cookies, and a new connection for every request. Follows no redirect by itself.

    `address` is where the person is, as a proxy before the site would tell: attempts are counted by it.
    """

    def __init__(self, port: int, address: str) -> None:
        self.port, self.address = port, address
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, values: dict[str, str]) -> Answer:
        return self._ask("POST", path, urlencode(values).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        """Raises Unanswered unless the whole answer came."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers["X-Forwarded-For"] = self.address
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            html = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as reason:
            raise Unanswered(f"{method} {path}: {reason!r}") from None
        finally:
            connection.close()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, html, path)
