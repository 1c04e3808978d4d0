"""A small proxy for streams that can be cut, stalled and slowed down: the network between two parts of the stack."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

HOST = "127.0.0.1"
CHUNK = 65_536


@dataclass
class Gate:
    """Listens on `port` and passes everything on: to a Unix socket, or to a port of this machine."""

    name: str
    port: int
    upstream: str | int = 0
    delay: float = 0.0  # seconds that each piece is kept
    is_cut: bool = False
    _flows: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def open(self) -> asyncio.Server:
        self._flows.set()
        return await asyncio.start_server(self._pass_on, HOST, self.port)

    def cut(self) -> None:
        """Reset every connection, and each new one, until it is healed."""
        self.is_cut = True
        self._flows.set()
        for writer in list(self._writers):
            writer.transport.abort()

    def stall(self) -> None:
        """Let nothing through, and tell nobody."""
        self._flows.clear()

    def heal(self) -> None:
        self.is_cut, self.delay = False, 0.0
        self._flows.set()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        self._writers.add(writer)
        theirs = None
        try:
            if isinstance(self.upstream, str):
                answers, theirs = await asyncio.open_unix_connection(self.upstream)
            else:
                answers, theirs = await asyncio.open_connection(HOST, self.upstream)
            self._writers.add(theirs)
            # Whoever ends first ends both: none of the protocols here talks on after one side has closed.
            both = [asyncio.ensure_future(self._pump(*way)) for way in ((reader, theirs), (answers, writer))]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in both:
                    pump.cancel()
        except OSError:
            writer.transport.abort()
        finally:
            for end in filter(None, (writer, theirs)):
                self._writers.discard(end)
                end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flows.wait()
                writer.write(data)
                await writer.drain()


class Gates:
    """The gates of a stack, which run in a thread of their own; told what to do from any other."""

    def __init__(self, ports: dict[str, int]) -> None:
        self.gates = {name: Gate(name, port) for name, port in ports.items()}
        self._loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="gates", daemon=True)

    def open(self) -> None:
        """Raises OSError when a port is taken."""
        self._thread.start()
        for gate in self.gates.values():
            self._servers.append(asyncio.run_coroutine_threadsafe(gate.open(), self._loop).result(timeout=10))

    def lead(self, name: str, upstream: str | int) -> None:
        """Where what comes through is passed on to from now on."""
        self.gates[name].upstream = upstream

    def cut(self, name: str) -> None:
        self._tell(self.gates[name].cut)

    def stall(self, name: str) -> None:
        self._tell(self.gates[name].stall)

    def slow(self, name: str, seconds: float) -> None:
        self.gates[name].delay = seconds

    def heal(self, name: str) -> None:
        self._tell(self.gates[name].heal)

    def close(self) -> None:
        """May be called twice, and without having been opened."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(timeout=10)
            self._tell(self._loop.stop)
            self._thread.join(timeout=5)
        self._loop.close()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        passing = asyncio.all_tasks() - {asyncio.current_task()}
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)

    def _tell(self, order: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(order)
