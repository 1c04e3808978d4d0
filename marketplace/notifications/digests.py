"""The daily digest: what was not mailed at once, at 8:00 in the person's own time zone."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications.models import Digest, Notice

BATCH = 200


def collect_digests() -> int:
    """Put what waits for a digest that is due into one per person, to be mailed; returns how many have come of it.

    Each person in a transaction of their own and by one worker, so nothing is put into two. What they have read
    meanwhile is left out, and of nothing comes none.
    """
    made = 0
    for _ in range(BATCH):
        person_done = _collect_next(clock.now())
        if person_done is None:
            break
        made += person_done
    return made


@transaction.atomic
def _collect_next(now: datetime) -> int | None:
    waiting = Notice.objects.for_digest(now).filter(recipient=OuterRef("pk"))
    people = User.objects.filter(Exists(waiting)).order_by("pk")
    # The person's row is the lock: two workers never collect for one person at once.
    person = people.select_for_update(skip_locked=True, no_key=True).first()
    if person is None:
        return None
    # Under the lock once more: another worker may have collected them between.
    # What is told while this runs waits for the next round: only what was found here is taken off the list.
    mine = Notice.objects.filter(recipient=person).for_digest(now).select_for_update()
    due = Notice.objects.filter(pk__in=list(mine.values_list("pk", flat=True)))
    news = list(due.not_seen().values_list("pk", flat=True))
    if news:
        digest = Digest.objects.create(recipient=person, created_at=now, next_attempt_at=now)
        Notice.objects.filter(pk__in=news).update(digest=digest)
    due.update(digest_due_at=None)
    return int(bool(news))
