"""A person at a real browser, who hears of everything that the browser complains about."""

from playwright.sync_api import Browser, Locator, Page, Request, expect

PHONE, DESKTOP = 360, 1280


class Person:
    """A browser of their own, with or without JavaScript. `complaints` has to stay empty."""

    def __init__(
        self, browser: Browser, address: str, *, width: int = DESKTOP, scripts: bool = True, scheme: str = "light"
    ) -> None:
        self.context = browser.new_context(
            base_url=address,
            viewport={"width": width, "height": 800},
            java_script_enabled=scripts,
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            locale="en-US",
            timezone_id="Europe/Madrid",
        )
        self.context.set_default_timeout(20_000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on(
            "response",
            lambda response: response.status >= 400 and self.complaints.append(f"{response.status}: {response.url}"),  # type: ignore[func-returns-value]
        )

    def _failed(self, request: Request) -> None:
        # The browser itself aborts a navigation that turns out to be a download, and the icon of a page that is left.
        unneeded = "/files/" in request.url or request.url.endswith("/favicon.svg")
        if not (request.failure == "net::ERR_ABORTED" and unneeded):
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def open(self, path: str) -> None:
        self.page.goto(path)

    def fill(self, **values: str) -> None:
        """Fields by name; where a page has two of a name, the one that can be seen."""
        for name, value in values.items():
            self.page.locator(f"[name='{name}']:visible").fill(value)

    def link(self, words: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=words, exact=True).first.click()

    def press(self, words: str) -> None:
        """A button that leads to another page."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=words, exact=True).first.click()

    def unfold(self, words: str) -> Locator:
        """Open the panel with these words, unless it stands open."""
        panel = self.page.locator("details", has=self.page.locator("summary", has_text=words)).first
        if panel.get_attribute("open") is None:
            panel.locator("summary").first.click()
        return panel

    def pay(self, card: str, button: str) -> None:
        self.page.get_by_label(card).check()
        self.press(button)

    def is_told(self, words: str) -> None:
        """Waits until the page says so at its top, and nothing else."""
        expect(self.page.locator(".message")).to_have_text([words])

    def has_next(self, words: str) -> None:
        """Waits until this is what happens next."""
        expect(self.page.locator("#next")).to_have_text(words)

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wide

    def close(self) -> None:
        self.context.close()
