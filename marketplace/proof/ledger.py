"""The promises of the ledger itself: I1 to I6, I8, I10 and M11."""

from .promise import Look, Promise

FUNDS = Look("held.id", "payments_heldfunds held JOIN moved ON moved.id = held.id")

PROMISES = [
    Promise(
        "I1 a transfer is one positive amount in one currency, from one account to another",
        """
        SELECT transfer.id AS what, (transfer.amount <= 0 OR source.id = destination.id
            OR source.currency <> transfer.currency OR destination.currency <> transfer.currency)::int AS off
        FROM payments_transfer transfer
        JOIN payments_account source ON source.id = transfer.source_id
        JOIN payments_account destination ON destination.id = transfer.destination_id
        """,
    ),
    Promise(
        "I2 the ledger sums to zero in every currency",
        "SELECT currency AS what, sum(balance) AS off FROM balances GROUP BY currency",
    ),
    Promise(
        "I3 at every prefix of the journal a milestone's held funds are at least nothing",
        """
        SELECT id AS what, least(0, sum(moved) OVER (PARTITION BY held_id ORDER BY id)) AS off FROM (
            SELECT transfer.id, transfer.held_id, transfer.amount
                * ((destination.code = 'held')::int - (source.code = 'held')::int) AS moved
            FROM payments_transfer transfer
            JOIN payments_account source ON source.id = transfer.source_id
            JOIN payments_account destination ON destination.id = transfer.destination_id
            WHERE transfer.held_id IS NOT NULL
        ) journal
        """,
    ),
    FUNDS.promise(
        "I4 what was charged is held, with the seller, in fees, due back, given back or charged back",
        "charged - (now + seller + fees + refunds_due + moved.refunded + moved.charged_back)",
    ),
    FUNDS.promise(
        "I5 one release at most, and always of all that is left",
        """
        (moved.releases > 1
            OR held.refunded + held.released + held.charged_back > held.amount
            OR (held.released > 0 AND held.refunded + held.released + held.charged_back <> held.amount))::int
        """,
    ),
    FUNDS.promise(
        "I6 the buyer's fee is the rate of the price, half up",
        """
        (held.buyer_fee <> round(held.price::numeric * held.buyer_fee_rate / 10000 / held.step) * held.step
            OR (held.amount <> 0 AND held.amount <> held.price + held.buyer_fee))::int
        """,
    ),
    FUNDS.promise(
        "I6 the seller gets the price that is left less the commission on it, half up",
        """
        moved.earned - (held.price - held.refunded_price
            - round((held.price - held.refunded_price)::numeric * held.commission_rate / 10000))
        """,
        "held.released > 0",
    ),
    FUNDS.promise(
        "I6 a refunded part gives back the part and the fee on it",
        """
        held.refunded - (held.amount - (held.price - held.refunded_price)
            - round((held.price - held.refunded_price)::numeric * held.buyer_fee_rate / 10000 / held.step) * held.step)
        """,
        "held.amount > 0 AND held.charged_back = 0",
    ),
    FUNDS.promise(
        "I10 the counters of held funds are the sums of their transfers",
        """
        abs(held.amount - moved.funding) + abs(held.refunded - moved.refunded_from_held)
            + abs(held.released - moved.released) + abs(held.charged_back - moved.charged_back_from_held)
        """,
    ),
    FUNDS.promise(
        "M6 earnings wait exactly as long as they are clearing",
        """
        moved.clearing - CASE WHEN held.available_at IS NOT NULL AND held.cleared_at IS NULL
            THEN moved.earned - moved.frozen_while_clearing ELSE 0 END
        """,
    ),
    Promise(
        "I5 at most one success funds a milestone",
        """
        SELECT held_id AS what, greatest(0, count(*) FILTER (WHERE funded) - 1) AS off
        FROM payments_charge GROUP BY held_id
        """,
    ),
    Promise(
        "I5 a success is booked once: it funds, or it goes back",
        """
        SELECT charge.id AS what, CASE
            WHEN (charge.status = 'succeeded') <> (charge.funded OR charge.surplus)
                OR (charge.funded AND charge.surplus) THEN charge.amount
            WHEN charge.funded THEN charge.amount - coalesce(booked.total, 0)
            WHEN charge.surplus THEN charge.amount - charge.credit - coalesce(booked.total, 0)
            ELSE coalesce(booked.total, 0) END AS off
        FROM payments_charge charge
        LEFT JOIN (
            SELECT charge_id, sum(amount) AS total FROM payments_transfer
            WHERE kind IN ('charge', 'surplus', 'credit_spent') GROUP BY charge_id
        ) booked ON booked.charge_id = charge.id
        """,
    ),
    Promise(
        "I8 no account is negative that may not be",
        """
        SELECT id AS what, CASE WHEN code IN ('clearing', 'chargebacks', 'debt', 'loss') THEN 0
            ELSE least(0, balance) END AS off
        FROM balances
        """,
    ),
    Promise(
        "I18 what a seller earned is there, on its way, paid out or charged back",
        """
        SELECT owners.owner_id || ' ' || owners.currency AS what,
            coalesce(earned.total, 0) + coalesce(forgiven.total, 0)
                - owners.balance - coalesce(out.total, 0) - coalesce(lost.total, 0) AS off
        FROM (
            SELECT owner_id, currency, sum(balance) AS balance FROM balances
            WHERE code LIKE 'earnings%%' OR code = 'debt' GROUP BY owner_id, currency
        ) owners
        LEFT JOIN (
            SELECT held.payee_id, held.currency, sum(moved.earned) AS total
            FROM payments_heldfunds held JOIN moved ON moved.id = held.id GROUP BY held.payee_id, held.currency
        ) earned ON earned.payee_id = owners.owner_id AND earned.currency = owners.currency
        LEFT JOIN (
            SELECT owner_id, currency, sum(amount) AS total FROM payments_withdrawal
            WHERE status IN ('requested', 'approved', 'sending', 'sent', 'paid') GROUP BY owner_id, currency
        ) out ON out.owner_id = owners.owner_id AND out.currency = owners.currency
        LEFT JOIN (
            SELECT source.owner_id, source.currency, sum(transfer.amount) AS total
            FROM payments_transfer transfer JOIN payments_account source ON source.id = transfer.source_id
            WHERE transfer.kind = 'chargeback_lost' AND source.owner_id IS NOT NULL
            GROUP BY source.owner_id, source.currency
        ) lost ON lost.owner_id = owners.owner_id AND lost.currency = owners.currency
        LEFT JOIN (
            SELECT debt.owner_id, debt.currency, sum(transfer.amount) AS total
            FROM payments_transfer transfer JOIN payments_account debt ON debt.id = transfer.destination_id
            WHERE transfer.kind = 'debt_forgiven' GROUP BY debt.owner_id, debt.currency
        ) forgiven ON forgiven.owner_id = owners.owner_id AND forgiven.currency = owners.currency
        """,
    ),
    Promise(
        "I18 what a buyer was given as credit is there, reserved for an attempt to pay, or spent",
        """
        SELECT owners.owner_id || ' ' || owners.currency AS what,
            coalesce(given.total, 0) - owners.balance - coalesce(spent.total, 0) AS off
        FROM (
            SELECT owner_id, currency, sum(balance) AS balance FROM balances
            WHERE code IN ('credit', 'credit_reserved') GROUP BY owner_id, currency
        ) owners
        LEFT JOIN (
            SELECT held.payer_id, held.currency, sum(refund.credit) AS total
            FROM payments_refund refund JOIN payments_heldfunds held ON held.id = refund.held_id
            GROUP BY held.payer_id, held.currency
        ) given ON given.payer_id = owners.owner_id AND given.currency = owners.currency
        LEFT JOIN (
            SELECT held.payer_id, held.currency, sum(charge.credit) AS total
            FROM payments_charge charge JOIN payments_heldfunds held ON held.id = charge.held_id
            WHERE charge.funded GROUP BY held.payer_id, held.currency
        ) spent ON spent.payer_id = owners.owner_id AND spent.currency = owners.currency
        """,
    ),
    Promise(
        "I18 credit is reserved exactly for the attempts that are undecided",
        """
        SELECT balances.owner_id || ' ' || balances.currency AS what,
            balances.balance - coalesce(undecided.credit, 0) AS off
        FROM balances
        LEFT JOIN (
            SELECT held.payer_id, held.currency, sum(charge.credit) AS credit
            FROM payments_charge charge JOIN payments_heldfunds held ON held.id = charge.held_id
            WHERE charge.status IN ('created', 'asking', 'action_needed', 'processing')
            GROUP BY held.payer_id, held.currency
        ) undecided ON undecided.payer_id = balances.owner_id AND undecided.currency = balances.currency
        WHERE balances.code = 'credit_reserved'
        """,
    ),
]
