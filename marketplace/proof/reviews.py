"""The promises of reviews (O18)."""

from .promise import Promise

PROMISES = [
    Promise(
        "O18 the ratings of gigs and sellers are the sums of their published reviews",
        """
        SELECT 'gig ' || gig.id AS what,
            abs(gig.rating_sum - coalesce(sum(review.rating), 0)) + abs(gig.rating_count - count(review.id)) AS off
        FROM catalog_gig gig
        LEFT JOIN orders_order orders ON orders.gig_id = gig.id
        LEFT JOIN reviews_review review ON review.order_id = orders.id
            AND review.about = 'seller' AND review.counted_at IS NOT NULL AND review.hidden_at IS NULL
        GROUP BY gig.id
        UNION ALL
        SELECT 'person ' || person.id,
            abs(person.rating_sum - coalesce(sum(review.rating), 0)) + abs(person.rating_count - count(review.id))
        FROM accounts_user person
        LEFT JOIN reviews_review review ON review.subject_id = person.id
            AND review.about = 'seller' AND review.counted_at IS NOT NULL AND review.hidden_at IS NULL
        GROUP BY person.id
        """,
    ),
    Promise(
        "O18 the two sides of a completed order review each other in time, and read it together or when time is over",
        """
        SELECT review.id AS what, (orders.status <> 'completed'
            OR (review.author_id, review.subject_id) IS DISTINCT FROM (CASE review.about
                WHEN 'seller' THEN (orders.buyer_id, orders.seller_id)
                ELSE (orders.seller_id, orders.buyer_id) END)
            OR review.written_at < orders.ended_at OR review.written_at >= orders.ended_at + terms.reviews
            OR review.visible_from <> coalesce(
                (SELECT max(written_at) FROM reviews_review WHERE order_id = orders.id HAVING count(*) = 2),
                orders.ended_at + terms.reviews))::int AS off
        FROM reviews_review review
        JOIN orders_order orders ON orders.id = review.order_id
        JOIN catalog_terms terms ON terms.id = orders.terms_id
        """,
    ),
]

ALIVE = [
    Promise(
        "O18 what is visible is published",
        """
        SELECT id AS what, (visible_from <= %(late)s)::int AS off FROM reviews_review WHERE counted_at IS NULL
        """,
    ),
]
