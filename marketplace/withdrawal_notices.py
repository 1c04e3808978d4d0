"""Sellers are told what becomes of their withdrawals (P4): `payments` tells nobody, so the top looks for it."""

import logging
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from marketplace import clock
from marketplace.accounts.reader import reading_as
from marketplace.notifications.services import tell
from payments.models import Withdrawal
from payments.money import display
from payments.said import said

logger = logging.getLogger(__name__)

BATCH = 200
Status = Withdrawal.Status


@dataclass(frozen=True)
class News:
    """A withdrawal's state in words, which take `amount`, `account`, `by` and `reason`."""

    name: str
    title: StrOrPromise
    text: StrOrPromise


_APPROVED = News(
    "approved",
    _("Your withdrawal of {amount} is approved"),
    _("{by} approved it. Our payment provider pays it to {account}; we tell you when that is done."),
)
_NEWS = {
    Status.APPROVED: _APPROVED,
    Status.SENDING: _APPROVED,
    Status.SENT: _APPROVED,
    Status.PAID: News(
        "paid",
        _("Your withdrawal of {amount} is paid"),
        _("It was approved by {by} and paid to {account}."),
    ),
    Status.REJECTED: News(
        "rejected",
        _("Your withdrawal of {amount} is rejected"),
        _("{by} rejected it: {reason}\nThe money is available to you again."),
    ),
    Status.FAILED: News(
        "failed",
        _("Your withdrawal of {amount} could not be paid"),
        _("{reason}\nThe money is available to you again. Check your bank account before you withdraw it once more."),
    ),
}


def tell_withdrawals() -> int:
    """Tell the owners of withdrawals that were decided, paid or not paid since they were last told; returns how many.

    In batches that other workers skip; each is told on its own, so one that cannot be told stands before no other.
    """
    told, after = 0, 0
    while pks := list(Withdrawal.objects.to_tell().filter(pk__gt=after).values_list("pk", flat=True)[:BATCH]):
        told += sum(_tell_safely(pk) for pk in pks)
        after = pks[-1]
    return told


def _tell_safely(pk: int) -> bool:
    try:
        return _tell(pk)
    except Exception:
        logger.exception("The owner of withdrawal %s could not be told.", pk)
        return False


@transaction.atomic
def _tell(pk: int) -> bool:
    """One notice per withdrawal and news (I17), whoever looks at it at the same time."""
    to_tell = Withdrawal.objects.to_tell().filter(pk=pk).select_related("owner", "account", "decided_by")
    withdrawal = to_tell.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
    if withdrawal is None:
        return False
    news, before = _NEWS[Status(withdrawal.status)], _NEWS.get(Status(withdrawal.told)) if withdrawal.told else None
    Withdrawal.objects.filter(pk=pk).update(told=withdrawal.status)
    if news == before:
        return False
    with reading_as(withdrawal.owner):
        words = {
            "amount": display(withdrawal.amount, withdrawal.currency),
            "account": said(withdrawal.paid_to),
            "by": withdrawal.decided_by.name if withdrawal.decided_by else "",
            "reason": said(withdrawal.reason),
        }
        title, text = news.title.format(**words), news.text.format(**words).strip()
    tell(
        [withdrawal.owner],
        kind=f"withdrawal_{news.name}",
        title=title,
        text=text,
        url="/earnings/",
        key=f"withdrawal:{pk}:{news.name}",
        at=clock.now(),
    )
    return True
