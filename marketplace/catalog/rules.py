"""The rules of an order in words, with the numbers of its terms (G4)."""

from datetime import timedelta
from typing import Literal, Protocol

from marketplace.catalog.durations import in_words


class Numbers(Protocol):
    """What the sentences are made of: the terms."""

    review: timedelta
    continuing: timedelta | None
    payment: timedelta
    revision: timedelta
    very_late: timedelta
    answer: timedelta
    buyer_fee: int
    commission: int
    clearing: timedelta


def percent(basis_points: int) -> str:
    """550 is "5.5 %"."""
    whole, part = divmod(basis_points, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + " %"


def sentences(terms: Numbers, *, viewer: Literal["buyer", "seller"]) -> list[str]:
    """One sentence per rule, addressed to the viewer. Both sides read the same facts (P3)."""
    buying = viewer == "buyer"
    buyer, has, is_ = ("You", "have", "are") if buying else ("The buyer", "has", "is")
    seller = "the seller" if buying else "you"
    return [
        (
            f"{buyer} {is_} charged per milestone, when {'you start' if buying else 'they start'} it; "
            f"the first one when the order is placed."
        ),
        f"Work begins when a milestone is paid; there are at least {in_words(terms.payment)} to pay for it.",
        *_review(terms, buyer, has),
        f"Silence completes a delivered milestone, pays {seller} and ends the order.",
        (
            f"Each milestone has its own revisions; a revision is delivered within {in_words(terms.revision)}, "
            "and its delivery starts a new full window."
        ),
        f"{buyer} may stop the order after accepting a milestone. A stopped order can’t be resumed.",
        f"Canceling goes through the Resolution Center: the other side has {in_words(terms.answer)} to answer.",
        (
            f"When nothing is delivered {in_words(terms.very_late)} after the delivery date, "
            f"{'you' if buying else 'the buyer'} can cancel the milestone at once for a full refund."
        ),
        f"{'You pay' if buying else 'The buyer pays'} a fee of {percent(terms.buyer_fee)} on top of each price.",
        *([] if buying else _earnings(terms)),
    ]


def _review(terms: Numbers, buyer: str, has: str) -> list[str]:
    window = in_words(terms.review)
    if terms.continuing is None:
        return [f"{buyer} {has} {window} from each delivery to accept and continue, or to ask for a revision."]
    return [
        f"{buyer} {has} {window} from each delivery to accept, or to ask for a revision.",
        f"After accepting, {buyer[0].lower()}{buyer[1:]} {has} {in_words(terms.continuing)} to continue.",
    ]


def _earnings(terms: Numbers) -> list[str]:
    when = f"{in_words(terms.clearing)} after it is completed" if terms.clearing else "when it is completed"
    return [
        (
            f"The platform keeps {percent(terms.commission)} of each price; "
            f"the rest of a milestone is yours {when}, however the order ends."
        )
    ]
