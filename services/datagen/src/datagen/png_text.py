"""The tEXt and iTXt chunks of a PNG, read without decoding the picture and without trusting it.

Bounded in every way: the file, the number of chunks, the size of all texts after unpacking. A chunk
whose checksum is wrong, or whose length leads out of the file, is an error.
"""

import struct
import zlib
from collections.abc import Iterator

from kit.errors import InvalidInputError, TooLargeError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_BYTES = 8 << 20
MAX_CHUNKS = 4096
MAX_TEXT = 4 << 20
HEADER = struct.Struct(">I4s")
TEXTS = (b"tEXt", b"iTXt", b"zTXt")


def is_png(content: bytes) -> bool:
    """Return whether `content` begins as a PNG does."""
    return content.startswith(SIGNATURE)


def png_texts(content: bytes) -> dict[str, bytes]:
    """Return the texts of a PNG by lower-case keyword; of one given twice the first.

    Raises:
        TooLargeError: the file or one text is over its limit.
        InvalidInputError: it is no PNG, or a damaged one.
    """
    if len(content) > MAX_BYTES:
        raise TooLargeError(f"a picture has at most {MAX_BYTES} bytes, this has {len(content)}")
    if not is_png(content):
        raise InvalidInputError("not a PNG: the signature is missing")
    found: dict[str, bytes] = {}
    room = MAX_TEXT  # for all texts together: thousands of small chunks may unpack to 4 MB each
    for kind, data in chunks(content):
        if kind not in TEXTS:
            continue
        keyword, separator, rest = data.partition(b"\0")
        if not separator or not 1 <= len(keyword) <= 79:
            raise damaged(f"a {kind.decode()} chunk has no keyword")
        name = keyword.decode("latin-1").lower()
        if name not in found:
            found[name] = text_of(kind, rest, room)
            room -= len(found[name])
    return found


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, data) of each chunk up to IEND. Raises InvalidInputError."""
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if at + HEADER.size > len(content):
            raise damaged("it ends before its last chunk")
        length, kind = HEADER.unpack_from(content, at)
        start, end = at + HEADER.size, at + HEADER.size + length
        if end + 4 > len(content):
            raise damaged(f"a chunk of {length} bytes leads out of the file")
        if struct.unpack_from(">I", content, end)[0] != zlib.crc32(content[at + 4 : end]):
            raise damaged(f"the checksum of the chunk at byte {at} is wrong")
        yield kind, content[start:end]
        if kind == b"IEND":
            return
        at = end + 4
    raise damaged(f"it has more than {MAX_CHUNKS} chunks")


def text_of(kind: bytes, rest: bytes, room: int) -> bytes:
    """Return the text after the keyword of a chunk, unpacked, at most `room` bytes of it.

    Raises InvalidInputError, TooLargeError.
    """
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return unpacked(rest[1:], room)
    packed, (_, _, text) = rest[:1] == b"\1", (rest[2:].split(b"\0", 2) + [b""] * 3)[:3]
    return unpacked(text, room) if packed else text


def unpacked(data: bytes, room: int) -> bytes:
    """Return deflated `data`, never more than `room` bytes. Raises TooLargeError."""
    machine = zlib.decompressobj()
    try:
        # One byte more shows that there is more; 0 would mean no bound at all.
        text = machine.decompress(data, max(0, room) + 1)
    except zlib.error as error:
        raise damaged(f"a text cannot be unpacked: {error}") from error
    if len(text) > room:
        raise TooLargeError(f"the texts in the picture are over {MAX_TEXT} bytes")
    return text


def damaged(why: str) -> InvalidInputError:
    """Return the error for a PNG that cannot be read."""
    return InvalidInputError(
        f"the PNG is damaged: {why}", hint="export the card again, or send its JSON"
    )
