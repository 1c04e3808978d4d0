"""What notices say. Most tell an event of an order and have no words of their own: the event is told anew when read.

So a flood of events writes rows and no texts, and whoever changes their language reads all their notices in it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from marketplace.notifications.models import Notice

TITLE_LENGTH = 200


class Words(NamedTuple):
    title: str
    text: str


def words_of(notices: Sequence["Notice"]) -> Mapping[int, Words]:
    """The words of each notice by its id, with as many queries for many as for one."""
    own = {notice.pk: Words(notice.own_title, notice.own_text) for notice in notices if notice.own_title}
    others = [notice for notice in notices if not notice.own_title]
    if not others:
        return own
    # What notices tell is known further up, so the settings name who words them.
    tell: Callable[[Sequence[Notice]], Mapping[int, Words]] = import_string(settings.NOTICES_WORDED_BY)
    return own | {pk: Words(one_line(said.title), said.text) for pk, said in tell(others).items()}


def word(notices: Iterable["Notice"]) -> None:
    """Give each of these notices its words now, so that a page of them does not look them up one by one."""
    listed = list(notices)
    found = words_of(listed)
    for notice in listed:
        notice.words = found[notice.pk]


def one_line(title: str) -> str:
    return " ".join(title.split())[:TITLE_LENGTH]
