"""Stripe's codes in words that a person understands."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop as _

DECLINED = _("Your card was declined.")
_CALL_YOUR_BANK = _("Your bank declined the payment without saying why. Ask your bank, or use another card.")
_TRY_AGAIN = _("Your bank could not be reached. Try again in a moment.")
_OTHER_CARD = _("This card cannot be used for this payment. Use another card.")

# A card that was reported lost or stolen, or that looks like fraud, is not told so: its holder may not be its owner.
_DECLINES = {
    "authentication_required": _("Your bank wants you to confirm the payment. Try again and follow its questions."),
    "payment_intent_authentication_failure": _("Your bank could not confirm that it is you who pays."),
    "approve_with_id": _TRY_AGAIN,
    "card_declined": _CALL_YOUR_BANK,
    "card_not_supported": _OTHER_CARD,
    "card_velocity_exceeded": _("The card has reached its limit. Use another card, or try again later."),
    "currency_not_supported": _("This card cannot pay in this currency. Use another card."),
    "do_not_honor": _CALL_YOUR_BANK,
    "expired_card": _("The card has expired. Use another card."),
    "fraudulent": _CALL_YOUR_BANK,
    "generic_decline": _CALL_YOUR_BANK,
    "incorrect_cvc": _("The security code of the card is wrong."),
    "incorrect_number": _("The number of the card is wrong."),
    "insufficient_funds": _("There is not enough money on the card."),
    "invalid_amount": _("The amount is more than the card allows."),
    "invalid_cvc": _("The security code of the card is wrong."),
    "invalid_expiry_month": _("The expiry month of the card is wrong."),
    "invalid_expiry_year": _("The expiry year of the card is wrong."),
    "invalid_number": _("The number of the card is wrong."),
    "issuer_not_available": _TRY_AGAIN,
    "lost_card": _CALL_YOUR_BANK,
    "processing_error": _TRY_AGAIN,
    "stolen_card": _CALL_YOUR_BANK,
    "transaction_not_allowed": _OTHER_CARD,
    "try_again_later": _TRY_AGAIN,
    "withdrawal_count_limit_exceeded": _("The card has reached its limit. Use another card, or try again later."),
}
_REFUND_FAILURES = {
    "charge_for_pending_refund_disputed": _("The payer's bank has taken the payment back itself."),
    "declined": _("The payer's bank declined the refund."),
    "expired_or_canceled_card": _("The payer's card has expired or was canceled."),
    "insufficient_funds": _("Our balance at Stripe did not suffice."),
    "lost_or_stolen_card": _("The payer's card was lost or stolen."),
    "merchant_request": _("The refund was canceled at our request."),
}
_DISPUTES = {
    "credit_not_processed": _("The payer says that a refund they were promised has not come."),
    "debit_not_authorized": _("The payer says that they did not allow this payment."),
    "duplicate": _("The payer says that they were charged twice."),
    "fraudulent": _("The payer says that they did not make this payment."),
    "product_not_received": _("The payer says that they did not get what they paid for."),
    "product_unacceptable": _("The payer says that what they got is not what they paid for."),
    "subscription_canceled": _("The payer says that they had canceled."),
    "unrecognized": _("The payer does not recognize this payment."),
}
_BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "eftpos_au": "eftpos",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}


def why_declined(error: Mapping[str, Any]) -> str:
    """Why a card did not pay, from Stripe's error: by the bank's code, else Stripe's, else Stripe's own words."""
    codes = (error.get("decline_code"), error.get("code"))
    known = (_DECLINES[code] for code in codes if code in _DECLINES)
    return next(known, "") or error.get("message") or DECLINED


def why_not_refunded(code: str | None) -> str:
    return _REFUND_FAILURES.get(code or "", _("The payer's bank did not take the refund."))


def why_disputed(code: str) -> str:
    return _DISPUTES.get(code, _("The payer's bank gives no reason."))


def card_label(card: Mapping[str, Any]) -> str:
    """ "Visa ending in 4242"."""
    brand = card.get("brand") or "card"
    return f"{_BRANDS.get(brand, brand.capitalize())} ending in {card.get('last4')}"
