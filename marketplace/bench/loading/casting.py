"""Who takes part in the orders to come, when they happen and what they are called: the rows of `bench.copy`.

Everything is drawn by hashing, so the same number of orders makes the same rows each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.backends.utils import CursorWrapper

from orders.models.order import ALPHABET

from .plots import DUE, PLOTS
from .story import Plot

ORDERS_PER_SELLER = 50
ORDERS_PER_BUYER = 10
GIGS_PER_SELLER = 2
# Orders that have ended began at most this long ago.
YEARS = 2

SCHEMA = f"""
    -- A number from 0 to 1, always the same for the same text.
    CREATE FUNCTION bench.chance(drawn text) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT ('x' || substr(md5(drawn), 1, 8))::bit(32)::bigint / 4294967296.0::float8 $$;
    -- Letters that people can read out: the last five count n, those before look random.
    CREATE FUNCTION bench.letters(n bigint, count int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT translate(substr(md5('letters' || n), 1, count - 5), '01abcdef', 'GHJKMNPQ') || string_agg(
            substr('{ALPHABET}', (n / (30 ^ place)::bigint % 30)::int + 1, 1), '' ORDER BY place DESC)
        FROM generate_series(0, 4) place $$;
    CREATE FUNCTION bench.renumbered(said text, old text[], new text[]) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN
            FOR place IN 1 .. cardinality(old) LOOP said := replace(said, old[place], new[place]); END LOOP;
            RETURN said;
        END $$;
    CREATE TABLE bench.copy (n bigint PRIMARY KEY, pattern bigint, shift interval, buyer bigint, seller bigint,
        gig bigint, title text, number text, old_number text, old_buyer bigint, old_seller bigint,
        cases int, old_cases text[], new_cases text[]);
    -- The people of a data set: sellers have the ids after first_person, and buyers those after them.
    CREATE TABLE bench.crowd (first_person bigint, sellers bigint, buyers bigint, first_gig bigint, next_n bigint);
"""  # noqa: S608

# Few have much and most have little: of ten thousand orders the busiest seller has a sixth.
DRAW = """
    INSERT INTO bench.copy
    SELECT n, pattern, shift, buyer, seller, gig.id, gig.title,
        'MP-' || substr(letters, 1, 4) || '-' || substr(letters, 5, 4) || '-' || substr(letters, 9, 4),
        number, old_buyer, old_seller, cardinality(cases), cases, array(
            SELECT 'RC-' || substr(of_case, 1, 4) || '-' || substr(of_case, 5, 4)
            FROM generate_series(1, cardinality(cases)) place,
                bench.letters(n * 3 + place, 8) of_case)
    FROM (
        SELECT drawn.n, drawn.shift, story.pattern, story.number, story.cases,
            story.buyer AS old_buyer, story.seller AS old_seller,
            crowd.first_person + sellers + 1 + floor(buyers * bench.chance('buyer' || n) ^ 3)::bigint AS buyer,
            crowd.first_person + 1 + floor(sellers * bench.chance('seller' || n) ^ 3)::bigint AS seller,
            crowd.first_gig + 1 + floor(sellers * bench.chance('seller' || n) ^ 3)::bigint
                + sellers * floor(%s * bench.chance('gig' || n))::bigint AS gig_id,
            bench.letters(n, 12) AS letters
        FROM ({drawn}) drawn JOIN bench.cast story USING (pattern) CROSS JOIN bench.crowd
    ) orders JOIN catalog_gig gig ON gig.id = orders.gig_id
"""
# From the oldest to the youngest, so that ids go with time.
SOME_OF_EACH = f"""
    SELECT next_n - 1 + row_number() OVER (ORDER BY shift, pattern, i) AS n, pattern, shift
    FROM (
        SELECT pattern, i, - coalesce(slack, interval '{365 * YEARS} days') * bench.chance(plot || i) AS shift
        FROM unnest(%s::text[], %s::bigint[]) wanted (plot, copies)
        JOIN bench.cast USING (plot) CROSS JOIN generate_series(1, wanted.copies) i
    ) shifted CROSS JOIN bench.crowd
"""  # noqa: S608
# Their windows ended in the four minutes before the instant.
ALL_DUE = """
    SELECT next_n - 1 + i AS n, pattern,
        %s - orders.decide_by - interval '1 millisecond' - interval '4 minutes' * bench.chance('due' || i) AS shift
    FROM bench.cast JOIN orders_order orders ON orders.id = pattern
    CROSS JOIN generate_series(1, %s) i CROSS JOIN bench.crowd
    WHERE plot = %s
"""


@dataclass(frozen=True)
class Share:
    plot: Plot
    copies: int


def shares(orders: int, plots: Sequence[Plot] = PLOTS) -> list[Share]:
    """How many copies of each story make, with the stories themselves, a data set of so many orders."""
    whole, left = sum(plot.weight for plot in plots), orders - len(plots)
    copies = {plot.name: min(left * plot.weight // whole, (plot.most or orders) - 1) for plot in plots}
    usual = max(plots, key=lambda plot: plot.weight)
    copies[usual.name] += left - sum(copies.values())
    return [Share(plot, copies[plot.name]) for plot in plots]


def draw_some_of_each(cursor: CursorWrapper, orders: int) -> None:
    """Fill `bench.copy` so that there are `orders` orders with the stories' own."""
    wanted = shares(orders)
    plots, copies = [share.plot.name for share in wanted], [share.copies for share in wanted]
    cursor.execute(DRAW.format(drawn=SOME_OF_EACH), [GIGS_PER_SELLER, plots, copies])
    _find_accounts(cursor)


def draw_due(cursor: CursorWrapper, count: int, at: datetime) -> None:
    """Fill `bench.copy` with `count` orders whose first milestone is delivered and whose window ended before `at`."""
    cursor.execute("TRUNCATE bench.copy")
    cursor.execute(DRAW.format(drawn=ALL_DUE), [GIGS_PER_SELLER, at, count, DUE.name])
    _find_accounts(cursor)


def count_on(cursor: CursorWrapper) -> None:
    """The orders of `bench.copy` are there: the next ones have greater numbers."""
    cursor.execute(
        "UPDATE bench.crowd SET next_n = (SELECT max(n) + 1 FROM bench.copy) WHERE EXISTS (TABLE bench.copy)"
    )
    cursor.execute("TRUNCATE bench.copy")


def _find_accounts(cursor: CursorWrapper) -> None:
    """Open the accounts, in our ledger and at the provider, of those who have none yet."""
    cursor.execute("""
        INSERT INTO payments_account (code, currency, provider, owner_id)
        SELECT DISTINCT code, currency, provider, CASE side WHEN 'buyer' THEN c.buyer ELSE c.seller END
        FROM (
            SELECT pattern, source_id_code AS code, source_id_currency AS currency, source_id_provider AS provider,
                source_id_side AS side FROM bench.payments_transfer
            UNION
            SELECT pattern, destination_id_code, destination_id_currency, destination_id_provider, destination_id_side
            FROM bench.payments_transfer
        ) used JOIN bench.copy c USING (pattern) WHERE side <> ''
        ON CONFLICT DO NOTHING
    """)
    cursor.execute("""
        WITH paid_out AS (
            SELECT DISTINCT ON (c.seller) c.seller, md5('payout account' || c.seller)::uuid AS theirs,
                account.provider, account.provider_id, account.label, account.status, account.created_at,
                account.checked_at
            FROM bench.copy c JOIN payments_payoutaccount account ON account.owner_id = c.old_seller
            WHERE NOT EXISTS (SELECT FROM payments_payoutaccount WHERE owner_id = c.seller)
        ), there AS (
            INSERT INTO payments_sandboxpayoutaccount (id, key, kind, created_at)
            SELECT theirs, 'payout-account-' || seller, known.kind, known.created_at
            FROM paid_out JOIN payments_sandboxpayoutaccount known ON known.id = provider_id::uuid
        )
        INSERT INTO payments_payoutaccount (provider, provider_id, label, status, created_at, checked_at, owner_id)
        SELECT provider, theirs, label, status, created_at, checked_at, seller FROM paid_out
    """)
    cursor.execute("ANALYZE bench.copy, payments_account, payments_payoutaccount")
