"""Clients are processes: what they share with the one that made them is the work, never a connection."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from marketplace.bench.measures.crew import crew

pytestmark = pytest.mark.django_db(transaction=True)


def server_process() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_client_connects_on_its_own_even_where_an_event_loop_runs_in_the_thread_that_made_it() -> None:
    def differs(connected_before: int) -> None:
        assert server_process() != connected_before, "the connection from before the loop"

    async def ask(connected_before: int) -> None:
        with crew(1, {"ask": differs}) as clients:
            assert clients.do("ask", [connected_before]).units == 1

    def connect_and_ask() -> None:
        before = server_process()
        asyncio.run(ask(before))
        assert server_process() == before
        connection.close()

    # After a test with a browser a loop runs in this thread until the end of the suite, and a second cannot.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(connect_and_ask).result()
