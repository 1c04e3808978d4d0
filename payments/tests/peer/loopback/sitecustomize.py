"""Python reads this first in the process of localstripe, which has no options for it: listen on loopback only, and
write no file that two processes, or two people of one machine, would share."""

import builtins
import os
import socket
from typing import Any


class LoopbackSocket(socket.socket):
    def __init__(self, family: int = -1, *rest: Any, **named: Any) -> None:
        super().__init__(socket.AF_INET if family == socket.AF_INET6 else family, *rest, **named)

    def bind(self, address: Any) -> None:
        super().bind(("127.0.0.1", address[1]) if address[0] == "::" else address)


def open_privately(file: Any, *rest: Any, **named: Any) -> Any:
    return ordinary_open(os.devnull if file == "/tmp/localstripe.pickle" else file, *rest, **named)


ordinary_open = builtins.open
builtins.open = open_privately  # type: ignore[assignment]
socket.socket = LoopbackSocket  # type: ignore[misc]
