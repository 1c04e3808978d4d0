"""Reading the ledger: balances are sums of transfers (I10)."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, Sum

from marketplace.accounts.models import User
from payments.models import Account, Transfer

Code, Kind = Account.Code, Transfer.Kind


@dataclass(frozen=True)
class Cents:
    """Where everything charged under one reference is now, in minor units; `charged` is the sum of the rest (M11)."""

    charged: int = 0
    held: int = 0
    seller: int = 0
    fees: int = 0
    refunds_due: int = 0
    refunded: int = 0
    charged_back: int = 0


@dataclass(frozen=True)
class Balance:
    """What a person has in one currency, in minor units; a debt is negative."""

    currency: str
    available: int = 0
    clearing: int = 0
    frozen: int = 0
    debt: int = 0
    credit: int = 0


def where_every_cent_is(references: Sequence[str]) -> dict[str, Cents]:
    """For each reference, where its money is. One query, however many references."""

    def into(*codes: str) -> Sum:
        return Sum("amount", filter=Q(destination__code__in=codes), default=0)

    def out_of(*codes: str) -> Sum:
        return Sum("amount", filter=Q(source__code__in=codes), default=0)

    def by_kind(*kinds: str) -> Sum:
        return Sum("amount", filter=Q(kind__in=kinds), default=0)

    seller = (Code.EARNINGS_CLEARING, Code.EARNINGS_AVAILABLE, Code.EARNINGS_FROZEN, Code.DEBT)
    # In the order of Cents.
    sums = {
        "charged": by_kind(Kind.CHARGE, Kind.SURPLUS, Kind.CREDIT_SPENT),
        "held": into(Code.HELD) - out_of(Code.HELD),
        "seller": into(*seller) - out_of(*seller),
        # What the platform bore of lost chargebacks, it did not earn.
        "fees": into(Code.FEES, Code.LOSS) - out_of(Code.FEES, Code.LOSS),
        "refunds_due": into(Code.REFUNDS_DUE) - out_of(Code.REFUNDS_DUE),
        "refunded": by_kind(Kind.REFUNDED, Kind.CREDITED) - by_kind(Kind.REFUND_RETURNED),
        # Not what the bank has only taken: until it has decided, nothing of the milestone moves (M10).
        "charged_back": by_kind(Kind.CHARGEBACK_LOST),
    }
    transfers = Transfer.objects.filter(held__reference__in=references).order_by()
    rows = transfers.values_list("held__reference").annotate(**sums)
    cents = {reference: Cents(*amounts) for reference, *amounts in rows}
    return {reference: cents.get(reference, Cents()) for reference in references}


def balance(user: User, currency: str, code: str = Code.EARNINGS_AVAILABLE) -> int:
    """What `user` has in one of their accounts, in minor units."""
    account = Account.objects.with_balance().filter(owner=user, currency=currency, code=code).first()
    return account.balance if account else 0


def purse(user: User) -> list[Balance]:
    """What `user` has in every currency in which they have an account. One query."""
    balances: dict[str, dict[str, int]] = {}
    for account in Account.objects.with_balance().filter(owner=user).order_by("currency"):
        balances.setdefault(account.currency, {})[account.code] = account.balance
    return [
        Balance(
            currency=currency,
            available=of.get(Code.EARNINGS_AVAILABLE, 0),
            clearing=of.get(Code.EARNINGS_CLEARING, 0),
            frozen=of.get(Code.EARNINGS_FROZEN, 0),
            debt=of.get(Code.DEBT, 0),
            credit=of.get(Code.CREDIT, 0),
        )
        for currency, of in balances.items()
    ]
