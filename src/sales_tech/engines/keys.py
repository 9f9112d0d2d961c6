"""The key of the hash that stands for personal data, prepared so that it never stands in a query."""

from __future__ import annotations

import hashlib

_INNER, _OUTER, _BLOCK = 0x36, 0x5C, 64


def padded_keys(key: bytes) -> tuple[bytes, bytes]:
    """The inner and the outer padded key of HMAC-SHA256 (RFC 2104), 64 bytes each."""
    padded = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return bytes(byte ^ _INNER for byte in padded), bytes(byte ^ _OUTER for byte in padded)
