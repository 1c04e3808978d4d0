"""Who may press which button of a case: the side that opened it, or the other one. Support rules in the back office."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from orders.guards import Refusal, Refused
from resolution.models import Case

OPENER, ANSWERER = "opener", "answerer"

WHO = {"accept": ANSWERER, "decline": ANSWERER, "withdraw": OPENER, "escalate": OPENER}

LABELS = {
    "accept": _lazy("Accept"),
    "decline": _lazy("Decline"),
    "withdraw": _lazy("Withdraw the case"),
    "escalate": _lazy("Take it to Customer Support"),
}


def side_for(case: Case, name: str) -> str:
    """«buyer» or «seller»; for what the clock or support opened nobody but support acts."""
    if WHO[name] == ANSWERER:
        return case.answering_side
    return case.side if case.answering_side else ""


def not_the_side(case: Case, side: str, name: str) -> Refusal | None:
    """Why this side may not press this button, whatever the case's state; None when it may."""
    who = side_for(case, name)
    if not who:
        return Refusal(_("Only Customer Support decides this case."), who="support")
    if who != side:
        only = {
            "buyer": _("Only the buyer can do this: {action}."),
            "seller": _("Only the seller can do this: {action}."),
        }
        return Refusal(only[who].format(action=LABELS[name]), who=who)
    return None


def check_side(case: Case, side: str, name: str) -> None:
    """Raise `Refused` unless `name` is a button of this side of the case."""
    refusal = not_the_side(case, side, name)
    if refusal:
        raise Refused(refusal)
