"""Who may press which button of a case: the side that opened it, or the other one. Support rules in the back office."""

from orders.guards import Refusal, Refused
from resolution.models import Case

OPENER, ANSWERER = "opener", "answerer"

WHO = {"accept": ANSWERER, "decline": ANSWERER, "withdraw": OPENER, "escalate": OPENER}

LABELS = {
    "accept": "Accept",
    "decline": "Decline",
    "withdraw": "Withdraw the case",
    "escalate": "Take it to Customer Support",
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
        return Refusal("Only Customer Support decides this case.", who="support")
    if who != side:
        return Refusal(f"Only the {who} can do this: {LABELS[name]}.", who=who)
    return None


def check_side(case: Case, side: str, name: str) -> None:
    """Raise `Refused` unless `name` is a button of this side of the case."""
    refusal = not_the_side(case, side, name)
    if refusal:
        raise Refused(refusal)
