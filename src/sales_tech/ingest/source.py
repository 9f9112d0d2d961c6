"""The bytes of a landed file, unpacked and in UTF-8, a chunk at a time."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from sales_tech.errors import UnreadableFile

CHUNK_BYTES = 2 << 20
"""Larger ones come from the system anew each time, and its work on their pages takes longer than a look at the text."""
MOST_TIMES, ALWAYS_BYTES = 200, 64 << 20
"""A gzip file may unpack to so many times its size, and to so many bytes in any case; exports unpack to 5 to 20 times theirs."""

_GZIP_MAGIC = b"\x1f\x8b"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAMPLE_BYTES = 2048
_UTF8_CONTINUATIONS = bytes(range(0x80, 0xC0))


def raw_chunks(path: Path) -> Iterator[bytes]:
    """The file's bytes, unpacked where its first bytes say gzip; UnreadableFile for a stream that is broken or too large."""
    with path.open("rb") as file:
        packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        file.seek(0)
        if not packed:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
            return
        done, size = 0, path.stat().st_size
        most = max(MOST_TIMES * size, ALWAYS_BYTES)
        try:
            with gzip.GzipFile(fileobj=file) as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    done += len(chunk)
                    if done > most:
                        found = f"gzip file of {size:,} bytes unpacks to more than {most:,}, {MOST_TIMES} times its size"
                        raise UnreadableFile(f"{found}; expected less, so it may be made to fill the disk. Land it unpacked if it is sound")
                    yield chunk
        except EOFError as error:
            raise UnreadableFile(f"gzip stream ends early after {size} bytes; expected its end mark, so the copy was cut off") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableFile(f"gzip stream is damaged after {done} unpacked bytes: {error}; expected a whole gzip file") from error


def utf8_chunks(path: Path, encoding: str, *, check: bool = False) -> Iterator[bytes]:
    """The file's text as UTF-8 without byte order mark; a chunk may end within a line or a character.

    `check` proves the encoding: UnreadableFile says where the bytes do not fit it. Without it a file in UTF-8 is passed on unproved.
    """
    same = encoding in ("utf-8", "utf-8-sig")
    decoder = codecs.getincrementaldecoder(encoding)()
    read = 0
    for chunk in raw_chunks(path):
        start, read = read, read + len(chunk)
        if same:
            if check:
                _decode(path, encoding, decoder, chunk, read)
            yield chunk.removeprefix(codecs.BOM_UTF8) if start == 0 else chunk
        else:
            yield _decode(path, encoding, decoder, chunk, read).encode()
    if check or not same:
        yield _decode(path, encoding, decoder, b"", read).encode()


def checked_chunks(path: Path, encoding: str) -> Iterator[bytes]:
    """The file's text in which ASCII stands for itself: as it is in a single-byte encoding, else in UTF-8; see `in_utf8`.

    Proves the encoding: UnreadableFile says where the bytes do not fit it, or that the file is UTF-8 where the pack names a
    single-byte encoding.
    """
    if not _extends_ascii(encoding):
        yield from utf8_chunks(path, encoding, check=True)
        return
    # To write all of it in UTF-8 only to look at it would take longer than looking.
    undefined = [byte for byte in map(_byte, range(256)) if byte.decode(encoding, "replace") == "\N{REPLACEMENT CHARACTER}"]
    decoder, guard, read = codecs.getincrementaldecoder(encoding)(), _Utf8Guard(), 0
    for chunk in raw_chunks(path):
        read += len(chunk)
        guard.feed(chunk)
        if any(byte in chunk for byte in undefined):
            _decode(path, encoding, decoder, chunk, read)
        yield chunk
    if guard.is_utf8():
        raise UnreadableFile(f"the file looks like utf-8 (it has characters of several bytes, all valid); the pack says {encoding}")


def in_utf8(text: bytes, encoding: str) -> bytes:
    """What `checked_chunks` gave, in UTF-8."""
    return text.decode(encoding).encode() if _extends_ascii(encoding) else text


def widest(encoding: str) -> int:
    """How many bytes of UTF-8 a byte of what `checked_chunks` gives can become."""
    if not _extends_ascii(encoding):
        return 1
    return max(len(character.encode()) for character in bytes(range(256)).decode(encoding, "replace"))


def _decode(path: Path, encoding: str, decoder: codecs.IncrementalDecoder, chunk: bytes, read: int) -> str:
    try:
        return decoder.decode(chunk, final=not chunk)
    except UnicodeDecodeError as error:
        offset = read - len(error.object) + error.start
        ends = "" if chunk else " cut off within a character, or"
        raise UnreadableFile(_undecodable(path, encoding, offset, ends)) from error
    except UnicodeError as error:
        # Python's utf-16 takes no file without the mark that tells the order of its bytes.
        looks = _likely_encoding(path, encoding, next(raw_chunks(path))[:_SAMPLE_BYTES])
        raise UnreadableFile(f"the file does not begin with a byte order mark, as {encoding} does; the file looks like {looks}") from error


def _undecodable(path: Path, encoding: str, offset: int, ends: str) -> str:
    position, line_feeds, returns, sample = 0, 0, 0, bytearray()
    for chunk in raw_chunks(path):
        before = chunk[: max(offset - position, 0)]
        line_feeds, returns = line_feeds + before.count(b"\n"), returns + before.count(b"\r")
        sample += chunk[max(offset - position - _SAMPLE_BYTES, 0) : max(offset - position + _SAMPLE_BYTES, 0)]
        if position <= offset < position + len(chunk):
            wrong = chunk[offset - position]
        position += len(chunk)
        if position > offset + _SAMPLE_BYTES:
            break
    # A file ends its lines with LF, CR LF or CR: the greater count is that of the lines.
    line = max(line_feeds, returns) + 1
    found = f"line {line}, byte {offset + 1} of the file: 0x{wrong:02X} is not {encoding}"
    return f"{found}; the file looks{ends} like {_likely_encoding(path, encoding, bytes(sample))}"


def _likely_encoding(path: Path, encoding: str, sample: bytes) -> str:
    start = next(raw_chunks(path))[:2]
    if start in _UTF16_MARKS:
        return "utf-16"
    if sample.count(0) > len(sample) // 4:  # of Latin letters every other byte is one
        return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
    if encoding != "utf-8" and _is_utf8(sample.lstrip(_UTF8_CONTINUATIONS)):
        return "utf-8"
    windows = any(0x80 <= byte <= 0x9F for byte in sample) and not encoding.startswith("cp")
    return "cp1252" if windows else "latin-1"


def _is_utf8(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _extends_ascii(encoding: str) -> bool:
    # One byte for each character, and ASCII as it is.
    if encoding.startswith("utf"):
        return False
    whole = bytes(range(256)).decode(encoding, "replace")
    return len(whole) == 256 and whole[:128].encode(errors="replace") == bytes(range(128))


def _byte(value: int) -> bytes:
    return bytes([value])


class _Utf8Guard:
    """Watches whether bytes that are said to be single-byte text are UTF-8 beyond ASCII."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._beyond_ascii, self._valid = False, True

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes."""
        if self._valid:
            try:
                self._beyond_ascii |= not self._decoder.decode(chunk).isascii()
            except UnicodeDecodeError:
                self._valid = False

    def is_utf8(self) -> bool:
        """Whether all bytes were UTF-8, with at least one character of several bytes."""
        unfinished = bool(self._decoder.getstate()[0])
        return self._valid and self._beyond_ascii and not unfinished
