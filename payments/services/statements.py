"""What a seller earned in a year, and where it went: read from the ledger alone, so it always adds up (M11)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from payments.models import Account, Transfer

Code, Kind = Account.Code, Transfer.Kind
# All that is a seller's own, and its field in a `Standing`; credit is a buyer's, even if both are the same person.
EARNINGS = {
    Code.EARNINGS_AVAILABLE: "available",
    Code.EARNINGS_CLEARING: "clearing",
    Code.EARNINGS_FROZEN: "frozen",
    Code.DEBT: "debt",
}
PLACES = {
    Code.EARNINGS_AVAILABLE: _("available"),
    Code.EARNINGS_CLEARING: _("clearing"),
    Code.EARNINGS_FROZEN: _("frozen"),
    Code.DEBT: _("debt"),
}


@dataclass
class Standing:
    """What lies in each of a seller's accounts at an instant, in minor units; a debt is negative."""

    available: int = 0
    clearing: int = 0
    frozen: int = 0
    debt: int = 0

    @property
    def total(self) -> int:
        return self.available + self.clearing + self.frozen + self.debt

    @property
    def parts(self) -> list[tuple[str, int]]:
        """Where it lies; empty when all of it is available."""
        places = [
            (gettext("available"), self.available),
            (gettext("clearing"), self.clearing),
            (gettext("frozen"), self.frozen),
            (gettext("owed"), self.debt),
        ]
        return [place for place in places if place[1]] if self.clearing or self.frozen or self.debt else []


@dataclass(frozen=True)
class Movement:
    """All transfers of one kind: what they added to the seller's total, and what only changed its place."""

    kind: str
    added: int
    within: int

    @property
    def label(self) -> str:
        return str(Kind(self.kind).label)


@dataclass
class Statement:
    """A year in one currency, in minor units: `opening.total` and what `movements` added make `closing.total`."""

    currency: str
    opening: Standing = field(default_factory=Standing)
    closing: Standing = field(default_factory=Standing)
    movements: list[Movement] = field(default_factory=list)
    milestones: int = 0
    price: int = 0
    earned: int = 0

    @property
    def commission(self) -> int:
        return self.price - self.earned

    @property
    def others(self) -> list[Movement]:
        """What was added or taken besides the earnings of milestones."""
        return [movement for movement in self.movements if movement.added and movement.kind != Kind.EARNING]

    @property
    def inner(self) -> list[Movement]:
        """What went from one of the seller's accounts to another."""
        return [movement for movement in self.movements if movement.within]


@dataclass(frozen=True)
class Line:
    """One transfer, told to the seller. `added` is negative for what left; 0 if it only changed its place."""

    at: datetime
    currency: str
    kind: str
    label: str
    reference: str
    description: str
    amount: int
    added: int
    price: int | None = None

    @property
    def commission(self) -> int | None:
        return None if self.price is None else self.price - self.amount

    @property
    def is_milestone(self) -> bool:
        return self.kind == Kind.EARNING


def year_in(zone: tzinfo, year: int) -> tuple[datetime, datetime]:
    """From when until before when a year lasts in a time zone."""
    return datetime(year, 1, 1, tzinfo=zone), datetime(year + 1, 1, 1, tzinfo=zone)


def years_of(seller: User, zone: tzinfo, at: datetime) -> list[int]:
    """The years that have a statement, newest first: from the seller's first money to the present one."""
    own = _own(seller)
    first = Transfer.objects.filter(Q(source__in=own) | Q(destination__in=own)).aggregate(first=Min("created_at"))
    since = min(first["first"] or at, at)
    return list(range(at.astimezone(zone).year, since.astimezone(zone).year - 1, -1))


def statements(seller: User, begins: datetime, ends: datetime) -> list[Statement]:
    """The sums of a time per currency, for each currency in which anything has moved by its end.

    A constant number of queries; balances and movements are sums of the same transfers, so they add up exactly.
    """
    own = _own(seller)
    found: dict[str, Statement] = {}
    for account, balance in _balances(own, ends):
        statement = found.setdefault(account.currency, Statement(account.currency))
        setattr(statement.closing, EARNINGS[Code(account.code)], balance)
    for account, balance in _balances(own, begins):
        setattr(found[account.currency].opening, EARNINGS[Code(account.code)], balance)
    moved = _transfers(own, begins, ends)
    incoming, outgoing = Q(destination__in=own), Q(source__in=own)
    for currency, kind, came, went, within in (
        moved.order_by()
        .values_list("currency", "kind")
        .annotate(
            came=Sum("amount", filter=incoming, default=0),
            went=Sum("amount", filter=outgoing, default=0),
            within=Sum("amount", filter=incoming & outgoing, default=0),
        )
        .order_by("currency", "kind")
    ):
        found[currency].movements.append(Movement(kind, came - went, within))
    price = Sum(F("held__price") - F("held__refunded_price"))
    earned = moved.order_by().filter(kind=Kind.EARNING).values("currency")
    for row in earned.annotate(milestones=Count("pk"), price=price, earned=Sum("amount")):
        statement = found[row["currency"]]
        statement.milestones, statement.price, statement.earned = row["milestones"], row["price"], row["earned"]
    return [found[currency] for currency in sorted(found)]


def statement_lines(seller: User, begins: datetime, ends: datetime, limit: int | None = None) -> Iterator[Line]:
    """Each transfer of a time in the order of the ledger, read as it is used: any number in bounded memory."""
    own = _own(seller)
    mine = {account.pk: PLACES[Code(account.code)] for account in own}
    transfers = _transfers(own, begins, ends).select_related("held", "withdrawal__account")[:limit]
    for transfer in transfers.iterator(chunk_size=500):
        came, went = transfer.destination_id in mine, transfer.source_id in mine
        held, withdrawal = transfer.held, transfer.withdrawal
        description = held.description if held else withdrawal.paid_to if withdrawal else ""
        if came and went:
            places = gettext("{source} to {destination}").format(
                source=mine[transfer.source_id], destination=mine[transfer.destination_id]
            )
            description = f"{places}: {description}" if description else places
        yield Line(
            at=transfer.created_at,
            currency=transfer.currency,
            kind=transfer.kind,
            label=transfer.get_kind_display(),
            reference=held.reference if held else "",
            description=description,
            amount=transfer.amount,
            added=transfer.amount * (came - went),
            price=held.left_price if held and transfer.kind == Kind.EARNING else None,
        )


def _own(seller: User) -> list[Account]:
    return list(Account.objects.filter(owner=seller, code__in=EARNINGS))


def _transfers(own: Sequence[Account], begins: datetime, ends: datetime) -> QuerySet[Transfer]:
    mine = Q(source__in=own) | Q(destination__in=own)
    return Transfer.objects.filter(mine, created_at__gte=begins, created_at__lt=ends).order_by("pk")


def _balances(own: Sequence[Account], until: datetime) -> list[tuple[Account, int]]:
    """The balance of each account in which anything had moved before `until`."""
    before = Transfer.objects.filter(created_at__lt=until).order_by()
    came = dict(before.filter(destination__in=own).values_list("destination").annotate(sum=Sum("amount")))
    went = dict(before.filter(source__in=own).values_list("source").annotate(sum=Sum("amount")))
    return [
        (account, came.get(account.pk, 0) - went.get(account.pk, 0))
        for account in own
        if account.pk in came or account.pk in went
    ]
