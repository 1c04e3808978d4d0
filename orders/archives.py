"""How much a ZIP file says that it unpacks to, read from its directory: nothing is unpacked, no entry is kept."""

import struct
from typing import IO

# APPNOTE 4.3.12, 4.3.14 and 4.3.16: the signature, and what is read here of each record.
_ENTRY = struct.Struct("<4s20xL3H12x")  # unpacked size; lengths of name, extra field and comment
_END_64 = struct.Struct("<4s36xQ8x20x")  # length of the directory; with the locator that follows
_END = struct.Struct("<4s8xL6x")  # length of the directory
_LONGEST_COMMENT = 0xFFFF


def unpacked_size(archive: IO[bytes]) -> int:
    """Bytes that everything in a ZIP file takes when it is unpacked, as its directory says.

    A size that needs more than 32 bits counts as 4 GB. 0 for a file without a directory, which nobody unpacks.
    """
    total = 0
    archive.seek(_start_of_directory(archive))
    while True:
        entry = archive.read(_ENTRY.size)
        if len(entry) < _ENTRY.size or entry[:4] != b"PK\1\2":
            return total
        _signature, unpacked, *lengths = _ENTRY.unpack(entry)
        total += unpacked
        archive.seek(sum(lengths), 1)


def _start_of_directory(archive: IO[bytes]) -> int:
    """Counted back from its end, as programs do that unpack: its place is wrong when something was put before it."""
    size = archive.seek(0, 2)
    start = archive.seek(max(0, size - _LONGEST_COMMENT - _END.size - _END_64.size))
    tail = archive.read()
    at = tail.rfind(b"PK\5\6", 0, len(tail) - _END.size + 4)
    if at < 0:
        return size
    length: int = _END.unpack_from(tail, at)[1]
    at_64 = at - _END_64.size
    if at_64 >= 0 and tail[at_64:].startswith(b"PK\6\6"):
        at, length = at_64, _END_64.unpack_from(tail, at_64)[1]
    return max(0, start + at - length)
