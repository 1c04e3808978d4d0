"""How lines of the log are written: with what happened, and without whom it happened to.

Our own lines name people by their number. What others raise may quote what was sent: a mail server the address that
it refuses, PostgreSQL the values of a row, Django the path that was asked for, in which some links keep a secret, and
gunicorn where somebody sits whose request it could not read.
"""

import logging
import re

# Looked for from the beginning of a word only: from each of its letters, a long one would take seconds.
_LETTER = r"[^\s<>()\[\]{}'\",:;=@]"
_ADDRESS = re.compile(rf"(?<!{_LETTER}){_LETTER}+@[\w-]+(\.[\w-]+)+")
# Values may have lines of their own: up to what PostgreSQL says next, the next traceback, or the end.
_DETAIL = re.compile(r"(DETAIL:).*?(?=\n(?:HINT:|CONTEXT:|Traceback |\nThe above|\nDuring )|\Z)", re.DOTALL)
_VISITOR = re.compile(r"(\bip=)\S+")
_SECRET = re.compile(r"(/(?:password/reset/key|confirm-email|calendar|notifications/stop)/)[^\s/?]+")


class Discreet(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The line and its traceback, without e-mail addresses, values of rows, and secrets of links."""
        line = _VISITOR.sub(r"\1…", _DETAIL.sub(r"\1 …", super().format(record)))
        return _SECRET.sub(r"\1…", _ADDRESS.sub("…@…", line))
