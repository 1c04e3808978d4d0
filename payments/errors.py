"""Why a verb of `payments` refused. Each carries a sentence that can be shown."""


class PaymentsError(Exception):
    """The verb did nothing at all."""


class AttemptUndecided(PaymentsError):
    """An earlier attempt to pay may still succeed (O4)."""


class AlreadyFunded(PaymentsError):
    """The money for this was already received (M7)."""


class NotChargeable(PaymentsError):
    """The gateway in use cannot charge this price (M1)."""


class UnknownMethod(PaymentsError):
    """The gateway in use does not know this payment method."""


class NotBookable(PaymentsError):
    """This charge has not succeeded, or what it brought is already in the ledger."""


class NothingHeld(PaymentsError):
    """Nothing is left of these held funds: never funded, or already released, refunded or charged back (M5)."""


class BadPart(PaymentsError):
    """A partial refund is more than nothing and less than all that is left."""


class NotRefused(PaymentsError):
    """Only a refund that the provider refused for good can be asked for again, and only once."""


class Disputed(PaymentsError):
    """The payer's bank has taken the payment back and is deciding: until then its money goes nowhere (M10)."""


class DecidedOtherwise(PaymentsError):
    """The bank decided about this chargeback before, and the other way; or nobody has to decide about it any more."""


class NotOwed(PaymentsError):
    """The seller was paid nothing for this that they could owe back."""


class OwnMoney(PaymentsError):
    """Nobody decides about a chargeback of what they paid or were paid themselves."""


class CreditGone(PaymentsError):
    """The credit that was to pay a part of this charge was spent on something else meanwhile: `send_back` the rest."""


class Overdrawn(PaymentsError):
    """The account holds less than was to be moved out of it, and it may not be overdrawn (M2)."""


class WithdrawalRefused(PaymentsError):
    """Nothing can be withdrawn, decided, called off or paid off like this (M6, M10, O20)."""
