"""What is said in a case, and what support notes for itself (R1, R6)."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.reader import reading_as
from marketplace.notifications.services import tell
from orders.files import CheckedFile
from orders.guards import Refusal, Refused
from orders.models import Order
from orders.operating import refuse_party
from orders.services import attach
from resolution.locking import case_of
from resolution.models import Case, CaseMessage, SupportNote


@transaction.atomic
def write_in_case(
    case: Case, *, by: User, text: str, files: Sequence[CheckedFile] = (), seen: int | None = None
) -> CaseMessage:
    """Write in a case, with evidence; whoever else it concerns is told. Possible while it waits for somebody, and while
    it can still be taken to support.

    `by` is the buyer, the seller, or an agent of support, who speaks as Customer Support. A message changes no state,
    so it leaves the order's version alone (O19). `seen` is how many messages of theirs the page showed: the same text
    sent once more from it is the second half of a double click. Raises `Refused` when the case is over.
    """
    # One message of a person at a time: the second click waits here for what the first one did.
    by = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    # What is known of the case may be old by now.
    case = case_of(Order.objects.whole().get(pk=case.order_id), case.pk, clock.now())
    if not case.order.side_of(by) and not by.is_staff:
        raise Refused(Refusal(_("Only the buyer, the seller and Customer Support write here."), who="buyer or seller"))
    refusal = why_not_write(case)
    if refusal:
        raise Refused(refusal)
    if seen is not None:
        since = case.messages.filter(author=by).order_by("pk")[seen : seen + 1].first()
        if since and since.text == text:
            return since
    now = clock.now()
    message = CaseMessage.objects.create(case=case, author=by, text=text, sent_at=now)
    message.files.set(attach(case.order, files, by=by, at=now))
    order = case.order
    if order.side_of(by):
        Order.objects.filter(pk=order.pk).update(acted_at=now)
    for person in (order.buyer, order.seller):
        if person == by:
            continue
        with reading_as(person):
            if order.side_of(by):
                title = _("{name} wrote in case {case}").format(name=by.name, case=case)
            else:
                title = _("Customer Support wrote in case {case}").format(case=case)
        url, key = f"{case.get_absolute_url()}#said", f"case-message:{message.pk}"
        tell([person], kind="case_message", title=title, text=text, url=url, key=key, at=now)
    return message


def why_not_write(case: Case) -> Refusal | None:
    """Why nothing can be written in this case any more; None while something can."""
    if case.is_pending or case.can_go_to_support:
        return None
    return case.refusal_by_state()


@transaction.atomic
def note_for_support(
    order: Order, *, by: User, text: str, case: Case | None = None, seen: int | None = None
) -> SupportNote:
    """Write down what only support reads; `seen` notes of theirs were on the page, as in `write_in_case`.

    Raises `Refused` for an agent who is a party of the order.
    """
    refuse_party(order, by)
    if seen is not None:
        # The second click waits here for what the first one did.
        by = User.objects.select_for_update(no_key=True).get(pk=by.pk)
        since = order.support_notes.filter(author=by).order_by("pk")[seen : seen + 1].first()
        if since and since.text == text:
            return since
    return SupportNote.objects.create(order=order, case=case, author=by, text=text, written_at=clock.now())
