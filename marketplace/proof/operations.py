"""The promises that tie every operation with a provider to its transfers: I7, I15, and the documents of M11."""

from .promise import Promise

PROMISES = [
    Promise(
        "I7 a refund is booked as given back exactly when it was, by card and as credit",
        """
        SELECT refund.id AS what,
            CASE WHEN refund.status = 'succeeded' THEN refund.amount ELSE refund.credit END
                - coalesce(booked.total, 0) AS off
        FROM payments_refund refund
        LEFT JOIN (
            SELECT refund_id, sum(CASE kind WHEN 'refund_returned' THEN -amount ELSE amount END) AS total
            FROM payments_transfer WHERE kind IN ('refunded', 'credited', 'refund_returned') GROUP BY refund_id
        ) booked ON booked.refund_id = refund.id
        """,
    ),
    Promise(
        "I7 what is due back is exactly what the refunds under way and those refused still owe",
        """
        SELECT currency AS what, sum(owed) AS off FROM (
            SELECT currency, balance AS owed FROM balances WHERE code = 'refunds_due'
            UNION ALL
            SELECT held.currency, -(refund.amount - refund.credit)
            FROM payments_refund refund JOIN payments_heldfunds held ON held.id = refund.held_id
            WHERE refund.status <> 'succeeded' AND NOT refund.retried
        ) owing GROUP BY currency
        """,
    ),
    Promise(
        "I7 no movement is booked twice",
        """
        SELECT concat_ws('/', charge_id, refund_id, withdrawal_id, chargeback_id, kind) AS what,
            count(*) - 1 AS off
        FROM payments_transfer
        WHERE kind IN ('charge', 'surplus', 'credit_spent', 'refund', 'credited', 'withdrawal',
                       'chargeback', 'chargeback_won')
        GROUP BY charge_id, refund_id, withdrawal_id, chargeback_id, kind
        UNION ALL
        -- What left by a provider and came back may leave once more: each time but the last it came back.
        SELECT concat_ws('/', gone.refund_id, gone.withdrawal_id, gone.kind),
            greatest(gone.times - 1 - coalesce(refund.times, withdrawal.times, 0), 0)
        FROM (
            SELECT refund_id, withdrawal_id, kind, count(*) AS times FROM payments_transfer
            WHERE kind IN ('refunded', 'paid_out') GROUP BY refund_id, withdrawal_id, kind
        ) gone
        LEFT JOIN (
            SELECT returned.refund_id AS id, count(*) AS times FROM payments_transfer returned
            JOIN payments_account source ON source.id = returned.source_id AND source.code = 'clearing'
            WHERE returned.kind = 'refund_returned' GROUP BY returned.refund_id
        ) refund ON gone.kind = 'refunded' AND refund.id = gone.refund_id
        LEFT JOIN (
            SELECT returned.withdrawal_id AS id, count(*) AS times FROM payments_transfer returned
            JOIN payments_account source ON source.id = returned.source_id AND source.code = 'clearing'
            WHERE returned.kind = 'withdrawal_returned' GROUP BY returned.withdrawal_id
        ) withdrawal ON gone.kind = 'paid_out' AND withdrawal.id = gone.withdrawal_id
        """,
    ),
    Promise(
        "I7 what a chargeback froze lies frozen while the bank decides, and no longer",
        """
        SELECT chargeback.id AS what,
            frozen.now - CASE chargeback.status WHEN 'open' THEN chargeback.frozen ELSE 0 END AS off
        FROM payments_chargeback chargeback
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(amount * ((destination.code = 'earnings_frozen')::int
                - (source.code = 'earnings_frozen')::int)), 0) AS now
            FROM payments_transfer transfer
            JOIN payments_account source ON source.id = transfer.source_id
            JOIN payments_account destination ON destination.id = transfer.destination_id
            WHERE transfer.chargeback_id = chargeback.id
        ) frozen ON true
        """,
    ),
    Promise(
        "I7 a withdrawal lies in flight until it is paid or returned, and left the ledger only when paid",
        """
        SELECT withdrawal.id AS what,
            abs(coalesce(booked.in_flight, 0)
                - CASE WHEN withdrawal.status IN ('requested', 'approved', 'sending', 'sent')
                    THEN withdrawal.amount ELSE 0 END)
            + abs(coalesce(booked.paid, 0)
                - CASE withdrawal.status WHEN 'paid' THEN withdrawal.amount ELSE 0 END) AS off
        FROM payments_withdrawal withdrawal
        LEFT JOIN (
            SELECT transfer.withdrawal_id,
                sum(amount * ((destination.code = 'withdrawals')::int - (source.code = 'withdrawals')::int))
                    AS in_flight,
                sum(amount * ((destination.code = 'clearing')::int - (source.code = 'clearing')::int)) AS paid
            FROM payments_transfer transfer
            JOIN payments_account source ON source.id = transfer.source_id
            JOIN payments_account destination ON destination.id = transfer.destination_id
            WHERE transfer.withdrawal_id IS NOT NULL GROUP BY transfer.withdrawal_id
        ) booked ON booked.withdrawal_id = withdrawal.id
        """,
    ),
    Promise(
        "I7 a chargeback is booked as taken, and made good once it is won, covered or decided",
        """
        SELECT chargeback.id AS what, booked.missing - CASE
            WHEN chargeback.status = 'open' THEN chargeback.amount
            WHEN chargeback.status = 'lost' AND chargeback.rest_decided_at IS NULL THEN chargeback.rest
            ELSE 0 END AS off
        FROM payments_chargeback chargeback
        LEFT JOIN LATERAL (
            SELECT
                coalesce(sum(amount * (
                    (source.code = 'chargebacks')::int - (destination.code = 'chargebacks')::int)), 0) AS missing
            FROM payments_transfer transfer
            JOIN payments_account source ON source.id = transfer.source_id
            JOIN payments_account destination ON destination.id = transfer.destination_id
            WHERE transfer.chargeback_id = chargeback.id
        ) booked ON true
        """,
    ),
    Promise(
        "I7 what is frozen is what chargebacks under way have set aside",
        """
        SELECT coalesce(frozen.owner_id, held.owner_id) || ' ' || coalesce(frozen.currency, held.currency) AS what,
            coalesce(frozen.balance, 0) - coalesce(held.frozen, 0) AS off
        FROM (SELECT owner_id, currency, balance FROM balances WHERE code = 'earnings_frozen') frozen
        FULL JOIN (
            SELECT held.payee_id AS owner_id, held.currency, sum(chargeback.frozen) AS frozen
            FROM payments_chargeback chargeback JOIN payments_charge charge ON charge.id = chargeback.charge_id
            JOIN payments_heldfunds held ON held.id = charge.held_id
            WHERE chargeback.status = 'open' GROUP BY held.payee_id, held.currency
        ) held ON held.owner_id = frozen.owner_id AND held.currency = frozen.currency
        """,
    ),
    Promise(
        "M11 receipts and credit notes are numbered from 1 without gaps",
        """
        SELECT kind AS what, max(number) - count(*) AS off FROM payments_document GROUP BY kind
        """,
    ),
    Promise(
        "M11 a receipt is marked as issued exactly when there is one",
        """
        SELECT charge.id AS what, (charge.documented <> (document.id IS NOT NULL))::int AS off
        FROM payments_charge charge LEFT JOIN payments_document document ON document.charge_id = charge.id
        UNION ALL
        SELECT refund.id, (document.id IS NOT NULL AND NOT refund.documented
            -- One that is given again after it came back has the credit note of the attempt before.
            OR document.id IS NULL AND refund.documented AND refund.attempt = 1)::int
        FROM payments_refund refund LEFT JOIN payments_document document ON document.refund_id = refund.id
        """,
    ),
    Promise(
        "M11 receipt less credit notes is what was charged less what went back, once all of it has",
        """
        SELECT charge.id AS what, (receipt.content ->> 'total')::bigint - coalesce(given.noted, 0)
            - (CASE WHEN charge.funded THEN charge.amount ELSE charge.amount - charge.credit END)
            + coalesce(given.back, 0) AS off
        FROM payments_charge charge
        JOIN payments_document receipt ON receipt.charge_id = charge.id
        LEFT JOIN (
            SELECT refund.charge_id, sum((note.content ->> 'total')::bigint) AS noted,
                sum(CASE WHEN refund.retried THEN refund.credit ELSE refund.amount END) AS back,
                bool_and(refund.documented OR refund.retried AND refund.credit = 0) AS documented,
                bool_or(refund.status <> 'succeeded' AND NOT refund.retried) AS under_way
            FROM payments_refund refund LEFT JOIN payments_document note ON note.refund_id = refund.id
            GROUP BY refund.charge_id
        ) given ON given.charge_id = charge.id
        -- What comes back to us keeps its credit note until it is given again, or until the payer's bank takes it.
        WHERE coalesce(given.documented AND NOT given.under_way, true)
            AND NOT EXISTS (SELECT FROM payments_chargeback lost WHERE lost.charge_id = charge.id)
        """,
    ),
]

# The embedded provider's book is in the same database, so it can be compared item by item.
SANDBOX = [
    Promise(
        "I7 what the provider charged is one charge here, with the same amount",
        """
        SELECT theirs.key AS what,
            CASE WHEN ours.id IS NULL THEN greatest(theirs.amount, 1)
                WHEN theirs.status = 'succeeded' THEN theirs.amount - (ours.amount - ours.credit) ELSE 0 END AS off
        FROM payments_sandboxcharge theirs
        LEFT JOIN payments_charge ours ON ours.key = theirs.key AND ours.provider = 'sandbox'
        """,
    ),
    Promise(
        "I7 what is booked as charged was charged by the provider",
        """
        SELECT ours.key AS what,
            CASE WHEN theirs.status IS DISTINCT FROM 'succeeded' THEN ours.amount - ours.credit ELSE 0 END AS off
        FROM payments_charge ours LEFT JOIN payments_sandboxcharge theirs ON theirs.key = ours.key
        WHERE ours.provider = 'sandbox' AND ours.status = 'succeeded'
        """,
    ),
    Promise(
        "I7 what is booked as refunded was given back by the provider, once",
        """
        SELECT ours.key AS what, CASE WHEN theirs.status IS DISTINCT FROM 'succeeded'
            THEN ours.amount - ours.credit ELSE theirs.amount - (ours.amount - ours.credit) END AS off
        FROM payments_refund ours LEFT JOIN payments_sandboxrefund theirs ON theirs.key = ours.key
        WHERE ours.provider = 'sandbox' AND ours.status = 'succeeded' AND ours.amount > ours.credit
        """,
    ),
    Promise(
        "I7 the provider gave nothing back that we did not ask for",
        """
        SELECT theirs.key AS what, CASE WHEN ours.id IS NULL THEN greatest(theirs.amount, 1)
            WHEN theirs.status = 'succeeded' THEN theirs.amount - (ours.amount - ours.credit) ELSE 0 END AS off
        FROM payments_sandboxrefund theirs LEFT JOIN payments_refund ours ON ours.key = theirs.key
        """,
    ),
    Promise(
        "I7 what is booked as withdrawn was paid by the provider, once",
        """
        SELECT ours.key AS what, CASE WHEN theirs.status IS DISTINCT FROM 'succeeded'
            THEN ours.amount ELSE theirs.amount - ours.amount END AS off
        FROM payments_withdrawal ours LEFT JOIN payments_sandboxpayout theirs ON theirs.key = ours.key
        WHERE ours.provider = 'sandbox' AND ours.status = 'paid'
        """,
    ),
    Promise(
        "I7 the provider paid nothing out that we did not ask for",
        """
        SELECT theirs.key AS what, CASE WHEN ours.id IS NULL THEN greatest(theirs.amount, 1)
            ELSE theirs.amount - ours.amount END AS off
        FROM payments_sandboxpayout theirs LEFT JOIN payments_withdrawal ours ON ours.key = theirs.key
        """,
    ),
]

# Besides, when everything runs: what is due is done soon (I13), and no answer stays away (I15).
ALIVE = [
    Promise(
        "I13 no order stays due",
        """
        SELECT number AS what, (decide_by < %(late)s)::int AS off FROM orders_order
        WHERE paused_at IS NULL AND decide_by IS NOT NULL
        """,
    ),
    Promise(
        "I13 no case stays due",
        "SELECT number AS what, (answer_by < %(late)s)::int AS off FROM resolution_case WHERE status = 'open'",
    ),
    Promise(
        "I15 no attempt to pay is forgotten",
        """
        SELECT key AS what, (coalesce(asked_at, created_at) < %(late)s)::int AS off FROM payments_charge
        WHERE status IN ('created', 'asking', 'action_needed', 'processing')
        """,
    ),
    Promise(
        "I15 no refund is forgotten",
        """
        SELECT key AS what, (next_try_at < %(late)s)::int AS off FROM payments_refund
        WHERE status IN ('created', 'asking', 'pending')
        """,
    ),
    Promise(
        "I15 no withdrawal is forgotten",
        """
        SELECT key AS what, (next_try_at < %(late)s)::int AS off FROM payments_withdrawal
        WHERE status IN ('approved', 'sending', 'sent')
        """,
    ),
    Promise(
        "I15 no message stays unsent",
        """
        SELECT id AS what, (next_attempt_at < %(late)s)::int AS off FROM notifications_notice
        WHERE emailed_at IS NULL AND next_attempt_at IS NOT NULL
        """,
    ),
    Promise(
        "M6 no earnings stay clearing beyond their time",
        """
        SELECT id AS what, (available_at < %(late)s)::int AS off FROM payments_heldfunds
        WHERE available_at IS NOT NULL AND cleared_at IS NULL
        """,
    ),
    Promise(
        "M11 every success has its receipt, every refund its credit note",
        """
        SELECT key AS what, (settled_at < %(late)s)::int AS off FROM payments_charge
        WHERE status = 'succeeded' AND NOT documented
        UNION ALL
        SELECT key, (settled_at < %(late)s)::int FROM payments_refund WHERE status = 'succeeded' AND NOT documented
        """,
    ),
]
