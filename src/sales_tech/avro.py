"""Iceberg's lists of files, whose frame is looked at before a library reads them that trusts what they say of lengths."""

from __future__ import annotations

import json
import zlib

from sales_tech import disk
from sales_tech.errors import LakeError

SUFFIX = ".avro"
"""How the name of such a file ends."""
_MAGIC, _SYNC = b"Obj\x01", 16


def whole(data: bytes, location: str) -> bytes:
    """The bytes of an Avro file as they are; LakeError where it is cut short, or damaged so that its frame shows it.

    pyiceberg takes what a cut leaves for all there was, and its reader in C goes where a wrong length leads, to the end of the process.
    What it does not tell: a cut between two blocks, and bytes within one that can still be decompressed.
    """
    try:
        _walk(data)
    except (ValueError, zlib.error) as error:
        raise LakeError(f"{location.removeprefix('file://')} is damaged: {error}; {disk.RESTORE}") from error
    return data


def _walk(data: bytes) -> None:
    if not data.startswith(_MAGIC):
        raise ValueError(f"it begins with {data[:4]!r}, expected {_MAGIC!r}")
    told, at = _header(data)
    json.loads(told.get(b"avro.schema", b""))
    sync, at = data[at : at + _SYNC], at + _SYNC
    if at > len(data):
        raise ValueError(f"it ends within its header, after {len(data)} bytes")
    while at < len(data):
        _, at = _number(data, at)
        block, at = _text(data, at)
        if told.get(b"avro.codec") == b"deflate":
            zlib.decompress(block, wbits=-zlib.MAX_WBITS)
        if data[at : at + _SYNC] != sync:
            raise ValueError(f"a block of it does not end at byte {at}, where its length says")
        at += _SYNC


def _header(data: bytes) -> tuple[dict[bytes, bytes], int]:
    told: dict[bytes, bytes] = {}
    at = len(_MAGIC)
    while True:
        count, at = _number(data, at)
        if count == 0:
            return told, at
        if count < 0:
            _, at = _number(data, at)  # the size of what follows in bytes
        for _ in range(abs(count)):
            name, at = _text(data, at)
            told[name], at = _text(data, at)


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = _number(data, at)
    if not 0 <= length <= len(data) - at:
        raise ValueError(f"{length} bytes should follow byte {at}, and {len(data) - at} do")
    return data[at : at + length], at + length


def _number(data: bytes, at: int) -> tuple[int, int]:
    # Seven bits a byte, the lowest first; the sign is the lowest bit of the whole.
    value = shift = 0
    while True:
        if at >= len(data):
            raise ValueError(f"it ends within a number, after {len(data)} bytes")
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return (value >> 1) ^ -(value & 1), at
