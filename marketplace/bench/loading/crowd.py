"""The people and gigs of a data set: many of each, made like those of the stories."""

from django.db.backends.utils import CursorWrapper

from .casting import GIGS_PER_SELLER, ORDERS_PER_BUYER, ORDERS_PER_SELLER
from .patterns import columns_of

FIRST = "Ana,Ben,Chiara,David,Elif,Farid,Grace,Hugo,Ines,Jonas,Keiko,Léa,Mia,Noor,Omar,Priya,Ravi,Sol,Theo,Uma"
LAST = "Ruiz,Okafor,Rossi,Weber,Demir,Haddad,Kim,Moreau,Silva,Berg,Tanaka,Novak,Rao,Mensah,Costa,Lund,Ortiz,Sato"
HOW = "Hand-drawn,Quick,Careful,Bold,Quiet,Modern,Classic,Playful,Clear,Small,Large,Warm,Honest,Bright,Simple"
WHAT = (
    "logo,explainer video,website,book cover,podcast intro,product photos,translation,landing page,brand guide,map,"
    "illustration,voice-over,newsletter,data report,app icon,poster,packaging,crossword,menu,catalog"
)
WHOM = (
    "bakery,honey farm,school,bicycle shop,museum,dentist,band,festival,library,vineyard,garage,hotel,choir,startup,"
    "florist,kindergarten,brewery,gallery,co-op,theater,yoga studio,bookshop,charity,café,carpenter"
)
UNRATED = {"rating_sum": "0", "rating_count": "0"}
MANY = "For those who know what they want, and for those who will know when they see it. "


def settle(cursor: CursorWrapper, orders: int) -> None:
    """Make sellers, buyers and published gigs for so many orders."""
    sellers, buyers = max(2, orders // ORDERS_PER_SELLER), max(2, orders // ORDERS_PER_BUYER)
    cursor.execute(
        """
        INSERT INTO bench.crowd
        SELECT (SELECT max(id) FROM accounts_user), %s, %s, (SELECT max(id) FROM catalog_gig), %s
        """,
        [sellers, buyers, 1],
    )
    name = f"{_one_of(FIRST, 'first')} || ' ' || {_one_of(LAST, 'last')}"
    people = {
        "id": "crowd.first_person + i",
        "email": "'person-' || i || '@bench.example'",
        "handle": "'person-' || i",
        "name": name,
        "joined_at": "p.joined_at + interval '2 years' * bench.chance('joined' || i)",
        **UNRATED,
    }
    source = "(SELECT * FROM accounts_user WHERE id = (SELECT min(buyer) FROM bench.cast)) p CROSS JOIN bench.crowd"
    _make(cursor, "accounts_user", people, f"{source} CROSS JOIN generate_series(1, {sellers + buyers}) i")
    _gigs(cursor, sellers * GIGS_PER_SELLER)


def rate(cursor: CursorWrapper) -> None:
    """Gigs and sellers have the sums of their published reviews."""
    for table, key in (("catalog_gig", "orders.gig_id"), ("accounts_user", "review.subject_id")):
        cursor.execute(f"""
            UPDATE {table} rated SET rating_sum = found.sum, rating_count = found.count
            FROM (
                SELECT {key} AS id, sum(review.rating) AS sum, count(*) AS count
                FROM reviews_review review JOIN orders_order orders ON orders.id = review.order_id
                WHERE review.about = 'seller' AND review.counted_at IS NOT NULL AND review.hidden_at IS NULL GROUP BY 1
            ) found
            WHERE found.id = rated.id AND (rated.rating_sum, rated.rating_count) <> (found.sum, found.count)
        """)  # noqa: S608


def _gigs(cursor: CursorWrapper, count: int) -> None:
    """Each is like a story's gig, with its plan; one of twenty is paused."""
    title = f"{_one_of(HOW, 'how')} || ' ' || {_one_of(WHAT, 'what')} || ' for a ' || {_one_of(WHOM, 'whom')}"
    gigs = {
        "id": "crowd.first_gig + i",
        "title": title,
        "slug": "'gig-' || i",
        "description": f"{title} || '. {MANY}' || p.description",
        "seller_id": "crowd.first_person + 1 + (i - 1) % crowd.sellers",
        "category_id": "(SELECT array_agg(id ORDER BY id) FROM catalog_category)"
        "[1 + floor((SELECT count(*) FROM catalog_category) * bench.chance('category' || i))::int]",
        "status": "CASE WHEN bench.chance('paused' || i) < 0.05 THEN 'paused' ELSE 'published' END",
        "published_at": "p.published_at + interval '3 years' * bench.chance('published' || i)",
        "key": "NULL",
        **UNRATED,
    }
    like = f"""
        (SELECT *, row_number() OVER (ORDER BY id) AS nth, count(*) OVER () AS gigs
            FROM catalog_gig WHERE seller_id IN (SELECT seller FROM bench.cast)) p
        JOIN generate_series(1, {count}) i ON p.nth = 1 + floor(p.gigs * bench.chance('like' || i))
        CROSS JOIN bench.crowd
    """  # noqa: S608
    _make(cursor, "catalog_gig", gigs, like)
    cursor.execute("SELECT max(id) FROM catalog_planmilestone")
    (last,) = cursor.fetchone()
    plan = {"id": f"{last} + row_number() OVER (ORDER BY i, p.position)", "gig_id": "crowd.first_gig + i"}
    steps = f"""
        (SELECT plan.*, like_this.i AS of_gig FROM catalog_planmilestone plan
            JOIN (SELECT p.id, i FROM {like}) like_this ON plan.gig_id = like_this.id) p
        CROSS JOIN LATERAL (SELECT p.of_gig AS i) numbered CROSS JOIN bench.crowd
    """  # noqa: S608
    _make(cursor, "catalog_planmilestone", plan, steps)


def _make(cursor: CursorWrapper, table: str, new: dict[str, str], source: str) -> None:
    """Insert a row of `table` for each row of `source`, like its `p` except for what is `new`."""
    columns = [column.name for column in columns_of(cursor, table)]
    values = ", ".join(new.get(name, f"p.{name}") for name in columns)
    cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {source}")  # noqa: S608


def _one_of(words: str, drawn: str) -> str:
    return f"(string_to_array('{words}', ','))[1 + floor({words.count(',') + 1} * bench.chance('{drawn}' || i))::int]"
