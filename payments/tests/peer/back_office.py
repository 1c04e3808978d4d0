"""Money that leaves the peer's Stripe: refunds, disputes, accounts of sellers and transfers to them.

Standard library only: this runs in the process of `edge.py`.
"""

import urllib.parse
from typing import Any

from world import Fields, Refusal, World, number, refuse_half_cents


class BackOffice:
    def __init__(self, world: World, address: str) -> None:
        self.world = world
        self.address = address

    # Refunds

    def create_refund(self, fields: Fields) -> Fields:
        world, amount = self.world, int(fields["amount"])
        intent_id = fields["payment_intent"]
        intent = world.intent(intent_id)
        if intent["status"] != "succeeded":
            raise Refusal(400, f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.")
        disputes = [dispute for dispute in world.disputes.values() if dispute["payment_intent"] == intent_id]
        if any(dispute["status"] != "won" for dispute in disputes):
            raise Refusal(400, "Charge has been charged back; cannot issue a refund.", code="charge_disputed")
        refuse_half_cents(amount, intent["currency"])
        given_back = [refund for refund in world.refunds.values() if refund["payment_intent"] == intent_id]
        left = intent["amount"] - sum(
            refund["amount"] for refund in given_back if refund["status"] not in ("failed", "canceled")
        )
        if left == 0:
            raise Refusal(400, "This charge has already been refunded.", code="charge_already_refunded")
        if not 0 < amount <= left:
            raise Refusal(400, f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).")
        asked = {"payment_intent": intent_id, "amount": amount, "metadata": fields.get("metadata", {})}
        refund = world.upstream("POST", "/v1/refunds", asked)
        refund |= {"created": int(world.now()), "failure_reason": None, "status": "succeeded"}
        if world.slow_refunds:
            world.slow_refunds -= 1
            refund["status"] = "pending"
        world.refunds[refund["id"]] = refund
        world.announce("refund.created", refund)
        return refund

    def refund(self, refund_id: str) -> Fields:
        return _known(self.world.refunds, refund_id, "refund")

    def refunds_like(self, fields: Fields) -> list[Fields]:
        if "payment_intent" in fields:
            self.world.intent(fields["payment_intent"])
        return _newest(self.world.refunds, lambda one: fields.get("payment_intent") in (None, one["payment_intent"]))

    def finish_refund(self, refund_id: str, status: str, reason: str) -> Fields:
        """The bank decides; a refund that succeeded can fail later, too."""
        refund = self.refund(refund_id)
        refund["status"] = status
        if status == "failed":
            refund["failure_reason"] = reason
            self.world.announce("refund.failed", refund)
        self.world.announce("refund.updated", refund)
        self.world.announce("charge.refund.updated", refund)
        return refund

    # Disputes

    def open_dispute(self, intent_id: str, amount: int | None) -> Fields:
        world = self.world
        intent = world.intent(intent_id)
        taken = amount or intent["amount"]
        dispute = {
            "id": number("du_"),
            "object": "dispute",
            "amount": taken,
            "currency": intent["currency"],
            "charge": intent["latest_charge"],
            "payment_intent": intent_id,
            "reason": "fraudulent",
            "status": "needs_response",
            "created": int(world.now()),
            "balance_transactions": [{"id": number("txn_"), "amount": -taken, "currency": intent["currency"]}],
            "metadata": {},
            "livemode": False,
        }
        world.disputes[dispute["id"]] = dispute
        world.announce("charge.dispute.created", dispute)
        world.announce("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def close_dispute(self, dispute_id: str, status: str) -> Fields:
        dispute = _known(self.world.disputes, dispute_id, "dispute")
        dispute["status"] = status
        if status == "won":
            given_back = {"id": number("txn_"), "amount": dispute["amount"], "currency": dispute["currency"]}
            dispute["balance_transactions"].append(given_back)
            self.world.announce("charge.dispute.funds_reinstated", dispute)
        self.world.announce("charge.dispute.closed", dispute)
        return dispute

    # Accounts of sellers

    def create_account(self, fields: Fields) -> Fields:
        account = {
            "id": number("acct_"),
            "object": "account",
            "capabilities": {"transfers": "inactive"},
            "charges_enabled": False,
            "payouts_enabled": False,
            "details_submitted": False,
            "requirements": {"disabled_reason": "requirements.past_due", "currently_due": ["external_account"]},
            "external_accounts": {"object": "list", "data": [], "has_more": False, "url": "/v1/accounts"},
            "metadata": fields.get("metadata", {}),
            "created": int(self.world.now()),
            "livemode": False,
        }
        self.world.accounts[account["id"]] = account
        return account

    def account(self, account_id: str) -> Fields:
        account = self.world.accounts.get(account_id)
        if account is None:
            message = f"The provided key does not have access to account '{account_id}' (or it does not exist)."
            raise Refusal(403, message, code="account_invalid")
        return account

    def create_account_link(self, fields: Fields) -> Fields:
        account = self.account(fields["account"])
        query = urllib.parse.urlencode({"account": account["id"], "return_url": fields["return_url"]})
        url = f"{self.address}/_edge/onboarding?{query}"
        return {"object": "account_link", "url": url, "created": int(self.world.now())}

    def complete_account(self, account_id: str, disabled_reason: str | None) -> Fields:
        """The seller has given their details; with a reason, the account is restricted all the same."""
        account = self.account(account_id)
        open_for_business = disabled_reason is None
        account["details_submitted"] = True
        account["payouts_enabled"] = open_for_business
        account["capabilities"]["transfers"] = "active" if open_for_business else "inactive"
        account["requirements"] = {"disabled_reason": disabled_reason, "currently_due": []}
        account["external_accounts"]["data"] = [
            {"id": number("ba_"), "object": "bank_account", "bank_name": "STRIPE TEST BANK", "last4": "6789"}
        ]
        self.world.announce("account.updated", account)
        return account

    # Transfers to them

    def create_transfer(self, fields: Fields) -> Fields:
        account = self.account(fields["destination"])
        if account["capabilities"]["transfers"] != "active":
            message = "Your destination account needs to have the transfers capability enabled."
            raise Refusal(400, message, code="insufficient_capabilities_for_transfer")
        if not self.world.settled:
            raise Refusal(400, "You have insufficient available funds in your account.", code="balance_insufficient")
        transfer = {
            "id": number("tr_"),
            "object": "transfer",
            "amount": int(fields["amount"]),
            "currency": fields["currency"],
            "destination": account["id"],
            "metadata": fields.get("metadata", {}),
            "amount_reversed": 0,
            "reversed": False,
            "created": int(self.world.now()),
            "livemode": False,
        }
        self.world.transfers[transfer["id"]] = transfer
        self.world.announce("transfer.created", transfer)
        return transfer

    def transfer(self, transfer_id: str) -> Fields:
        return _known(self.world.transfers, transfer_id, "transfer")

    def transfers_like(self, fields: Fields) -> list[Fields]:
        since = int(fields.get("created", {}).get("gte", 0))
        return _newest(
            self.world.transfers,
            lambda one: one["created"] >= since and fields.get("destination") in (None, one["destination"]),
        )

    def reverse_transfer(self, transfer_id: str) -> Fields:
        transfer = self.transfer(transfer_id)
        transfer |= {"reversed": True, "amount_reversed": transfer["amount"]}
        self.world.announce("transfer.reversed", transfer)
        return transfer


def _known(known: dict[str, Fields], one_id: str, noun: str) -> Fields:
    if one_id not in known:
        raise Refusal(404, f"No such {noun}: '{one_id}'", code="resource_missing")
    return known[one_id]


def _newest(known: dict[str, Fields], like: Any) -> list[Fields]:
    return [one for one in reversed(known.values()) if like(one)]
