"""How lines of the log are written: with what happened, and without whom it happened to.

Our own lines name people by their number. What others raise may quote what was sent: a mail server the address that
it refuses, PostgreSQL the values of a row, Django the path that was asked for, in which some links keep a secret.
"""

import logging
import re

_ADDRESS = re.compile(r"[^\s<>()\[\]{}'\",:;=@]+@[\w-]+(\.[\w-]+)+")
_DETAIL = re.compile(r"(DETAIL:).*")
_SECRET = re.compile(r"(/(?:password/reset/key|confirm-email|calendar|notifications/stop)/)[^\s/?]+")


class Discreet(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The line and its traceback, without e-mail addresses, values of rows, and secrets of links."""
        line = _DETAIL.sub(r"\1 …", super().format(record))
        return _SECRET.sub(r"\1…", _ADDRESS.sub("…@…", line))
