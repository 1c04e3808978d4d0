"""Pages by key: nothing is lost or shown twice while rows come, and no address breaks them."""

from datetime import timedelta

import pytest

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.notifications.models import Notice
from marketplace.notifications.tests.factories import NoticeFactory
from marketplace.pages_by_key import NEWEST, Column, Page, decimal, fraction, instant, key_of, number, page_of, word
from orders.tests.factories import NOON

pytestmark = pytest.mark.django_db

COLUMNS = (Column("created_at", instant, descending=True), NEWEST)


@pytest.fixture
def ana() -> User:
    return UserFactory.create()


def page(ana: User, **query: str) -> Page[Notice]:
    return page_of(Notice.objects.filter(recipient=ana), COLUMNS, query, most=4)


def titles(shown: Page[Notice]) -> list[str]:
    return [notice.own_title for notice in shown]


def tell(ana: User, name: str, *, minutes: int = 0) -> None:
    NoticeFactory.create(recipient=ana, own_title=name, created_at=NOON + timedelta(minutes=minutes))


def test_pages_follow_one_another_and_lead_back_while_rows_come(ana: User) -> None:
    for name in range(10):
        tell(ana, f"{name}", minutes=name // 4)  # several at the same instant
    first = page(ana)
    assert (titles(first), first.before) == (["9", "8", "7", "6"], "")
    tell(ana, "new", minutes=60)
    second = page(ana, after=first.after)
    tell(ana, "late", minutes=1)  # dated in the middle of what was shown already
    third = page(ana, after=second.after)
    assert (titles(second), titles(third), third.after) == (["5", "4", "3", "2"], ["1", "0"], "")
    back = page(ana, before=third.before)
    assert titles(back) == ["5", "4", "3", "2"]
    top = page(ana, before=back.before)
    assert titles(top) == ["8", "late", "7", "6"]
    rest = page(ana, before=top.before)
    assert (titles(rest), rest.before, bool(rest.after)) == (["new", "9"], "", True)
    assert titles(page(ana, after=rest.after)) == titles(top)


def test_one_page_leads_nowhere_and_a_place_beyond_the_end_shows_the_first(ana: User) -> None:
    assert (titles(page(ana)), page(ana).has_other_pages) == ([], False)
    tell(ana, "only")
    assert page(ana).has_other_pages is False
    assert titles(page(ana, after=key_of(Notice.objects.get(), COLUMNS))) == ["only"]


@pytest.mark.parametrize(
    "key",
    ["", "~", "x", "1", "x~1", "2026-10-20T12:00:00~1", "2026-10-20T12:00:00+00:00~x", f"{NOON.isoformat()}~{2**63}",
     f"{NOON.isoformat()}~1~1", "\0~\0", "9" * 500, "0001-01-01T00:00:00+23:59~1"],
)  # fmt: skip
def test_a_key_that_says_nothing_shows_the_first_page(ana: User, key: str) -> None:
    tell(ana, "only")
    assert titles(page(ana, after=key)) == titles(page(ana, before=key)) == ["only"]


def test_what_is_read_back_is_what_was_written_or_nothing() -> None:
    assert (number("-7"), fraction("0.1"), str(decimal("4.20")), word("USD")) == (-7, 0.1, "4.20", "USD")
    for read, text in ((fraction, "nan"), (decimal, "NaN"), (decimal, "1e99"), (decimal, "x"), (word, "a b")):
        with pytest.raises(ValueError, match=r".*"):
            read(text)
