"""Clients that work at the same time, each a process of its own, as web processes are."""

import multiprocessing
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from django.db import connections

from marketplace import clock
from marketplace.bench.measuring import Done, peak_memory

Act = Callable[[Any], object]
# A profile sees only the process that it is taken in.
in_this_process = ContextVar("in_this_process", default=False)
_fork = multiprocessing.get_context("fork")


def one_by_one(act: Act, tasks: Sequence[Any]) -> list[float]:
    """Do each task in turn; the seconds that each took."""
    taken = []
    for task in tasks:
        began = perf_counter()
        act(task)
        taken.append(perf_counter() - began)
    return taken


class Crew:
    """So many processes that wait for work, forked from this one; each connects to the database on its own."""

    def __init__(self, clients: int, acts: dict[str, Act]) -> None:
        self.at = clock.now()
        self.acts = acts
        connections.close_all()
        self.pipes: list[Connection] = []
        self.processes = []
        for _ in range(clients):
            ours, theirs = _fork.Pipe()
            process = _fork.Process(target=self._wait_for_work, args=(theirs,), daemon=True)
            process.start()
            self.pipes.append(ours)
            self.processes.append(process)

    def do(self, act: str, tasks: Sequence[Any]) -> Done:
        """Share the tasks out and wait until all are done. RuntimeError with what went wrong in a client."""
        if in_this_process.get():
            return Done(len(tasks), one_by_one(self.acts[act], tasks))
        shares = [tasks[number :: len(self.pipes)] for number in range(len(self.pipes))]
        began = perf_counter()
        for pipe, share in zip(self.pipes, shares, strict=True):
            pipe.send((act, share))
        answers = [pipe.recv() for pipe in self.pipes]
        seconds = perf_counter() - began
        if failed := [answer for answer in answers if isinstance(answer, str)]:
            raise RuntimeError(failed[0])
        return Done(len(tasks), [one for answer in answers for one in answer], seconds=seconds)

    def dismiss(self) -> None:
        for pipe in self.pipes:
            pipe.send(None)
            pipe.close()
        for process in self.processes:
            process.join()

    def _wait_for_work(self, pipe: Connection) -> None:
        # Where an event loop runs in the parent's thread, its connections are kept apart (asgiref.local); the fork has
        # no loop and would find those from before it, whose sockets are still the parent's.
        for inherited in connections.all(initialized_only=True):
            del connections[inherited.alias]
        with clock.at(self.at):
            while (work := pipe.recv()) is not None:
                name, tasks = work
                try:
                    pipe.send(one_by_one(self.acts[name], tasks))
                except Exception as problem:
                    pipe.send(f"{type(problem).__name__}: {problem}")
        connections.close_all()


@contextmanager
def crew(clients: int, acts: dict[str, Act]) -> Generator[Crew, None, None]:
    """A crew that is dismissed afterwards."""
    workers = Crew(clients, acts)
    try:
        yield workers
    finally:
        workers.dismiss()


def in_a_process_of_its_own(work: Callable[[], int]) -> Done:
    """Do the work in a process forked for it: its peak memory, and by how much that grew meanwhile, are facts of it."""
    if in_this_process.get():
        return Done(work(), facts={"peak MB": peak_memory() / 1e6, "grown MB": 0})

    def measured(_: object) -> None:
        before, began = peak_memory(), perf_counter()
        units = work()
        seconds, peak = perf_counter() - began, peak_memory()
        answer.send((units, seconds, peak, peak - before))

    told, answer = _fork.Pipe(duplex=False)
    with crew(1, {"work": measured}) as workers:
        workers.do("work", [None])
    units, seconds, peak, grown = told.recv()
    return Done(units, seconds=seconds, facts={"peak MB": peak / 1e6, "grown MB": grown / 1e6})
