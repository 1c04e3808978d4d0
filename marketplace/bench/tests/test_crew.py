"""Clients are processes: what they share with the one that made them is the work, never a connection."""

import asyncio

import pytest
from django.db import connection

from marketplace.bench.measures.crew import crew

pytestmark = pytest.mark.django_db(transaction=True)


def server_process() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_client_connects_on_its_own_even_where_an_event_loop_runs_in_the_thread_that_made_it() -> None:
    before = server_process()

    async def ask() -> None:
        def differs(_: object) -> None:
            assert server_process() != before, "the connection from before the loop"

        with crew(1, {"ask": differs}) as clients:
            assert clients.do("ask", [None]).units == 1

    asyncio.run(ask())
    assert server_process() == before
