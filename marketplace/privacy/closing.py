"""Closing one's account: refused while anything is open; afterwards nobody finds the person, and the books stay.

What stays, and why: orders with what was said in them (the other side's as much as theirs), cases and reviews without
a name, the ledger with its operations, and issued papers, which the law wants kept as they were.
"""

import logging
import re

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import CharField, F, Func, Q, TextField, Value
from django.db.models.functions import Cast, Concat, Left
from django.utils import translation
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

import payments.services
from marketplace import clock
from marketplace.accounts.models import Session, User
from marketplace.accounts.services import AccountError
from marketplace.afterwards import afterwards
from marketplace.catalog.models import Gig, PlanMilestone
from marketplace.notifications.models import CalendarFeed, Digest, Notice, Preference
from marketplace.notifications.wording import TITLE_LENGTH
from orders.models import OfferRequest, Order
from payments.models import Account, Charge, PayoutAccount, Refund, SavedCard, Withdrawal
from resolution.models import Case

logger = logging.getLogger(__name__)

# Nobody can register or receive mail below it (RFC 2606).
NOWHERE = "closed.invalid"
_LENGTH = {"own_title": TITLE_LENGTH, "own_text": 100_000}


def why_not_close(person: User) -> list[str]:
    """What has to end before the account can be closed, for its owner; empty when it can be."""
    reasons = []
    if person.is_staff or person.is_superuser:
        reasons.append(_("This is an account of staff. A superuser takes the rights away first."))
    if Order.objects.of(person).exclude(status__in=Order.ENDED).exists():
        reasons.append(_("Orders are open. Finish, stop, decline or withdraw them first."))
    if Case.objects.filter(Q(order__buyer=person) | Q(order__seller=person), status__in=Case.PENDING).exists():
        reasons.append(_("A case is open. It has to be decided first."))
    if Charge.objects.filter(held__payer=person, status__in=Charge.UNDECIDED).exists():
        reasons.append(_("A payment of yours is not decided yet."))
    refunds = Refund.objects.filter(held__payer=person)
    if refunds.filter(status__in=[*Refund.UNSETTLED, Refund.Status.REFUSED]).exists():
        reasons.append(_("A refund to you is on its way or waits for our staff."))
    if Withdrawal.objects.in_flight().filter(owner=person).exists():
        reasons.append(_("A withdrawal is under way."))
    if any(account.balance for account in Account.objects.with_balance().filter(owner=person)):
        reasons.append(_("There is money in your account, or you owe some. Withdraw, spend or pay it first."))
    return reasons


def close(person: User) -> None:
    """Close an account for good. Everything or nothing; after the commit the provider forgets saved cards, and the
    store the pictures of gigs.

    Raises AccountError with what is in the way. A row that refers to the person, such as a new order, waits for this
    and the person's own next request finds nobody signed in.
    """
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=person.pk)
        if reasons := why_not_close(person):
            raise AccountError(" ".join(reasons))
        if person.closed_at:
            return
        now = clock.now()
        for card in payments.services.kept_cards(person):
            payments.services.forget_card(card, at=now)
        SavedCard.objects.filter(owner=person).update(label="")
        PayoutAccount.objects.filter(owner=person).update(label="")
        Withdrawal.objects.filter(owner=person).update(paid_to="")
        _take_down(person)
        for model, whose in ((EmailAddress, "user"), (Authenticator, "user"), (CalendarFeed, "owner")):
            model.objects.filter(**{whose: person}).delete()
        Preference.objects.filter(person=person).delete()
        Session.objects.filter(person=person).delete()
        Notice.objects.filter(recipient=person).delete()
        Digest.objects.filter(recipient=person).delete()
        _rename_in_notices(person)
        OfferRequest.objects.filter(buyer=person, offer=None).delete()
        _forget(person)
    logger.info("User %s closed their account", person.pk)


def _take_down(person: User) -> None:
    """Their gigs: nobody finds one, and the words and the picture are gone. Orders hold copies of what was agreed."""
    gigs = Gig.objects.filter(seller=person)
    PlanMilestone.objects.filter(gig__in=gigs).update(description="")
    # After the commit: what is deleted from the store does not come back when the account stays open after all.
    for cover in gigs.exclude(cover="").values_list("cover", flat=True):
        afterwards(default_storage.delete, cover)
    slug = Concat(Value("closed-"), Cast("pk", CharField()))
    gigs.update(title=_closed_name(), slug=slug, description="", cover="", status=Gig.Status.ARCHIVED)


def _rename_in_notices(person: User) -> None:
    """Notices that were worded when they were made name who acted: those of whom they dealt with, and of staff."""
    orders = Order.objects.of(person)
    asked = OfferRequest.objects.filter(buyer=person)
    dealt_with = Q(orders_bought__in=orders) | Q(orders_sold__in=orders) | Q(offers_wanted__in=asked) | Q(is_staff=True)
    others = User.objects.filter(dealt_with).exclude(pk=person.pk)
    # As a word of its own: whoever is called Al leaves «Also» as it is.
    name = Value(rf"(?<!\w){re.escape(person.name)}(?!\w)", TextField())
    closed, everywhere = Value(_closed_name(), TextField()), Value("g", TextField())
    for field in ("own_title", "own_text"):
        naming = Notice.objects.filter(recipient__in=others, **{f"{field}__contains": person.name})
        renamed = Func(F(field), name, closed, everywhere, function="regexp_replace")
        naming.update(**{field: Left(renamed, _LENGTH[field], output_field=TextField())})


def _forget(person: User) -> None:
    name, now = _closed_name(), clock.now()
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=kind, object_id=str(person.pk)).update(object_repr=name, change_message="")
    person.name, person.about, person.language, person.time_zone = name, "", "", "UTC"
    person.email = f"{person.pk}@{NOWHERE}"
    person.handle = f"closed-{get_random_string(12).lower()}"
    person.is_active, person.last_login = False, None
    person.closed_at = person.signed_out_at = now
    person.set_unusable_password()
    person.save()


def _closed_name() -> str:
    """In the language of the site, because it is kept and everybody reads it."""
    with translation.override(settings.LANGUAGE_CODE):
        return _("Closed account")
