"""A request whose body breaks off is not acted on: half an upload must not become a delivery.

Django takes the end of the stream for the end of the form, and would see the fields that came before the break.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...

    def readline(self, size: int = ..., /) -> bytes: ...


class WholeBody:
    """The input of a request, which fails when it ends before `length` bytes were read."""

    def __init__(self, stream: Readable, length: int) -> None:
        self.stream = stream
        self.left = length

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        # Servers read until `size` or the end, so that less is the end.
        return self._counted(data, is_end=size < 0 or len(data) < size)

    def readline(self, size: int = -1) -> bytes:
        data = self.stream.readline(size)
        return self._counted(data, is_end=not data and size != 0)

    def _counted(self, data: bytes, *, is_end: bool) -> bytes:
        self.left -= len(data)
        if is_end and self.left > 0:
            # Django makes an `UnreadablePostError` of it, which the check of the form's token refuses.
            raise OSError("The connection broke before the whole request had arrived.")
        return data


def whole_bodies(application: Application) -> Application:
    """`application`, which sees the body of a request with a length whole or not at all."""

    def checked(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = str(environ.get("CONTENT_LENGTH") or "")
        if length.isascii() and length.isdigit():
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(length))
        return application(environ, start_response)

    return checked
