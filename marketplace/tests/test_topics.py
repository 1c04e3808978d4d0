"""Every kind of notice that anything here tells belongs to a topic that people can choose about (P4)."""

import ast
from collections.abc import Iterator

from marketplace import withdrawal_notices
from marketplace.notifications.topics import ABOUT, TOPICS, Topic
from marketplace.tests.test_house import modules
from orders.words import SENTENCES
from resolution.words import NOTICES


def told_kinds() -> Iterator[str]:
    """Those of events and withdrawals from their tables of words, all others as calls of `tell` name them."""
    yield from (kind for kind, words in SENTENCES.items() if words.notice)
    yield from NOTICES
    yield from (f"withdrawal_{news.name}" for news in withdrawal_notices._NEWS.values())
    for name, path in modules().items():
        if ".tests." in name:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "tell":
                kinds = [word.value for word in node.keywords if word.arg == "kind"]
                yield from (str(kind.value) for kind in kinds if isinstance(kind, ast.Constant))


def test_every_kind_of_notice_has_a_topic() -> None:
    told = {str(kind) for kind in told_kinds()}
    assert {"message", "reminder", "finance", "case_message", "offer_asked", "withdrawal_paid"} <= told
    assert told - set(TOPICS) == set()


def test_every_topic_says_what_it_holds() -> None:
    assert set(ABOUT) == set(Topic)
