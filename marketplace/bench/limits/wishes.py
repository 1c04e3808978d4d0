"""SQL that several limits share: how a person is told of an order that moved on, as they chose."""

TOLD = "next_attempt_at, digest_due_at, read_at"
"""The columns of a notice that follow from the wishes, in the order of `WISHED`."""

WISHED = """
    CASE WHEN coalesce(wish.by_mail, 'at_once') = 'at_once' THEN told.at END,
    CASE WHEN wish.by_mail = 'daily' THEN
        (date_trunc('day', %(now)s AT TIME ZONE person.time_zone - interval '8 hours') + interval '1 day 8 hours')
        AT TIME ZONE person.time_zone END,
    CASE WHEN wish.quiet THEN told.at END
"""

_PERSON = """
    JOIN accounts_user person ON person.id = told.recipient_id
    LEFT JOIN notifications_preference wish ON wish.person_id = person.id AND wish.topic = '{topic}'
"""
PERSON = _PERSON.format(topic="orders")
DOER = _PERSON.format(topic="to-do")
