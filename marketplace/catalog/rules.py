"""The rules of an order in words, with the numbers of its terms (G4)."""

from datetime import timedelta
from typing import Literal, Protocol

from django.utils.translation import gettext as _

from marketplace.accounts import figures
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


def plain_percent(basis_points: int) -> str:
    """For form fields: 550 is "5.5", whatever the language."""
    whole, part = divmod(basis_points, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".")


def percent(basis_points: int) -> str:
    """For people: 550 is "5.5 %", with the reader's decimal sign."""
    number = plain_percent(basis_points).replace(".", figures.decimal_sign())
    # Translators: a rate, such as "5.5 %".
    return _("{number} %").format(number=number)


def sentences(terms: Numbers, *, viewer: Literal["buyer", "seller"]) -> list[str]:
    """One sentence per rule, addressed to the viewer. Both sides read the same facts (P3)."""
    return _to_the_buyer(terms) if viewer == "buyer" else _to_the_seller(terms)


def _to_the_buyer(terms: Numbers) -> list[str]:
    return [
        _("You are charged per milestone, when you start it; the first one when the order is placed."),
        _work_begins(terms),
        *_buyers_review(terms),
        _("Silence completes a delivered milestone, pays the seller and ends the order."),
        _revisions(terms),
        _("You may stop the order after accepting a milestone. A stopped order can’t be resumed."),
        _canceling(terms),
        _(
            "When nothing is delivered {window} after the delivery date, "
            "you can cancel the milestone at once for a full refund."
        ).format(window=in_words(terms.very_late)),
        _("You pay a fee of {rate} on top of each price.").format(rate=percent(terms.buyer_fee)),
    ]


def _to_the_seller(terms: Numbers) -> list[str]:
    return [
        _("The buyer is charged per milestone, when they start it; the first one when the order is placed."),
        _work_begins(terms),
        *_sellers_review(terms),
        _("Silence completes a delivered milestone, pays you and ends the order."),
        _revisions(terms),
        _("The buyer may stop the order after accepting a milestone. A stopped order can’t be resumed."),
        _canceling(terms),
        _(
            "When nothing is delivered {window} after the delivery date, "
            "the buyer can cancel the milestone at once for a full refund."
        ).format(window=in_words(terms.very_late)),
        _("The buyer pays a fee of {rate} on top of each price.").format(rate=percent(terms.buyer_fee)),
        _earnings(terms),
    ]


def _work_begins(terms: Numbers) -> str:
    return _("Work begins when a milestone is paid; there are at least {window} to pay for it.").format(
        window=in_words(terms.payment)
    )


def _revisions(terms: Numbers) -> str:
    return _(
        "Each milestone has its own revisions; a revision is delivered within {window}, "
        "and its delivery starts a new full window."
    ).format(window=in_words(terms.revision))


def _canceling(terms: Numbers) -> str:
    return _("Canceling goes through the Resolution Center: the other side has {window} to answer.").format(
        window=in_words(terms.answer)
    )


def _buyers_review(terms: Numbers) -> list[str]:
    window = in_words(terms.review)
    if terms.continuing is None:
        return [
            _("You have {window} from each delivery to accept and continue, or to ask for a revision.").format(
                window=window
            )
        ]
    return [
        _("You have {window} from each delivery to accept, or to ask for a revision.").format(window=window),
        _("After accepting, you have {window} to continue.").format(window=in_words(terms.continuing)),
    ]


def _sellers_review(terms: Numbers) -> list[str]:
    window = in_words(terms.review)
    if terms.continuing is None:
        return [
            _("The buyer has {window} from each delivery to accept and continue, or to ask for a revision.").format(
                window=window
            )
        ]
    return [
        _("The buyer has {window} from each delivery to accept, or to ask for a revision.").format(window=window),
        _("After accepting, the buyer has {window} to continue.").format(window=in_words(terms.continuing)),
    ]


def _earnings(terms: Numbers) -> str:
    rate = percent(terms.commission)
    if not terms.clearing:
        return _(
            "The platform keeps {rate} of each price; "
            "the rest of a milestone is yours when it is completed, however the order ends."
        ).format(rate=rate)
    return _(
        "The platform keeps {rate} of each price; "
        "the rest of a milestone is yours {window} after it is completed, however the order ends."
    ).format(rate=rate, window=in_words(terms.clearing))
