"""Reading the ledger: balances are sums of transfers (I10)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, Sum
from django.db.models.expressions import Combinable

from marketplace.accounts.models import User
from payments.models import Account, Transfer

Code, Kind = Account.Code, Transfer.Kind


@dataclass(frozen=True)
class Cents:
    """Where everything charged under one reference is now, in minor units (M11).

    `charged`, by card and with credit, is the sum of what follows up to `charged_back`. `fees` is net of what the
    platform bore. Of what was charged, `with_credit` was paid with credit; of what was refunded, `as_credit` was
    given as credit.
    """

    charged: int = 0
    held: int = 0
    seller: int = 0
    fees: int = 0
    refunds_due: int = 0
    refunded: int = 0
    charged_back: int = 0
    with_credit: int = 0
    as_credit: int = 0


@dataclass(frozen=True)
class Balance:
    """What a person has in one currency, in minor units; a debt is negative."""

    currency: str
    available: int = 0
    clearing: int = 0
    frozen: int = 0
    debt: int = 0
    credit: int = 0
    credit_reserved: int = 0


def where_every_cent_is(references: Sequence[str]) -> dict[str, Cents]:
    """For each reference, where its money is. One query, however many references."""
    transfers = Transfer.objects.filter(held__reference__in=references).order_by()
    rows = transfers.values_list("held__reference").annotate(**cents_of_transfers())
    cents = {reference: Cents(*amounts) for reference, *amounts in rows}
    return {reference: cents.get(reference, Cents()) for reference in references}


def cents_of_transfers() -> dict[str, Combinable]:
    """The sums over transfers that `Cents` is made of, in its order, in minor units; for queries of one's own."""

    def left_in(*codes: str) -> Combinable:
        """What came into these accounts less what went out of them."""
        came = Sum("amount", filter=Q(destination__code__in=codes), default=0)
        return came - Sum("amount", filter=Q(source__code__in=codes), default=0)

    def moved(*kinds: str) -> Sum:
        return Sum("amount", filter=Q(kind__in=kinds), default=0)

    # Not what the bank has only taken: until it has decided, nothing of the milestone moves (M10).
    # In the order of Cents.
    return {
        "charged": moved(Kind.CHARGE, Kind.SURPLUS, Kind.CREDIT_SPENT),
        "held": left_in(Code.HELD),
        "seller": left_in(Code.EARNINGS_CLEARING, Code.EARNINGS_AVAILABLE, Code.EARNINGS_FROZEN, Code.DEBT),
        "fees": left_in(Code.FEES, Code.LOSS),
        "refunds_due": left_in(Code.REFUNDS_DUE),
        "refunded": moved(Kind.REFUNDED, Kind.CREDITED) - moved(Kind.REFUND_RETURNED),
        "charged_back": moved(Kind.CHARGEBACK_LOST),
        "with_credit": moved(Kind.CREDIT_SPENT),
        "as_credit": moved(Kind.CREDITED),
    }


def balance(user: User, currency: str, code: str = Code.EARNINGS_AVAILABLE) -> int:
    """What `user` has in one of their accounts, in minor units."""
    account = Account.objects.with_balance().filter(owner=user, currency=currency, code=code).first()
    return account.balance if account else 0


def purse(user: User) -> list[Balance]:
    """What `user` has in every currency in which they have an account. One query."""
    return balances_of(Account.objects.with_balance().filter(owner=user).order_by("currency"))


def balances_of(accounts: Iterable[Account]) -> list[Balance]:
    """The same of a person's accounts, which were read with their balances, in their order."""
    balances: dict[str, dict[str, int]] = {}
    for account in accounts:
        balances.setdefault(account.currency, {})[account.code] = account.balance
    return [
        Balance(
            currency=currency,
            available=of.get(Code.EARNINGS_AVAILABLE, 0),
            clearing=of.get(Code.EARNINGS_CLEARING, 0),
            frozen=of.get(Code.EARNINGS_FROZEN, 0),
            debt=of.get(Code.DEBT, 0),
            credit=of.get(Code.CREDIT, 0),
            credit_reserved=of.get(Code.CREDIT_RESERVED, 0),
        )
        for currency, of in balances.items()
    ]
