"""What axe-core finds on a page of a real browser. The vendored file is used in tests only and never served."""

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

SCRIPT = Path(__file__).parent / "vendor" / "axe.min.js"
RUN = """async (rules) => {
    const only = rules.length ? {runOnly: {type: "rule", values: rules}} : {};
    const found = await axe.run(document, {resultTypes: ["violations"], preload: false, ...only});
    return found.violations.flatMap(({id, help, nodes}) =>
        nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")} ${node.failureSummary}`));
}"""


@cache
def _script() -> str:
    return SCRIPT.read_text(encoding="utf-8")


def violations(page: Page, *rules: str) -> list[str]:
    """Every violation on the page as it is drawn now, one line per element; the empty list is what we want.

    The script runs through the browser's debugger, which the page's content security policy does not govern:
    nothing in the policy has to be loosened. Light and dark are two runs (`page.emulate_media`). With `rules` only
    those are looked at.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())
    found: list[str] = page.evaluate(RUN, list(rules))
    return found
