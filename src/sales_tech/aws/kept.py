"""What was read of objects that never change, so that it is not asked of S3 again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable


class Kept:
    """Contents by address, for all threads: those used last, as far as `room` bytes hold them."""

    def __init__(self, room: int) -> None:
        self._left = room
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._one_at_a_time = threading.Lock()

    def get(self, address: str, read: Callable[[], bytes]) -> bytes:
        """The content at an address; `read` where it is not kept, by two threads at once if they ask at once."""
        with self._one_at_a_time:
            if address in self._contents:
                self._contents.move_to_end(address)
                return self._contents[address]
        content = read()
        with self._one_at_a_time:
            self._left += len(self._contents.pop(address, b"")) - len(content)
            self._contents[address] = content
            while self._left < 0:
                self._left += len(self._contents.popitem(last=False)[1])
        return content

    def forget(self, address: str) -> None:
        """Keep nothing of an address any longer."""
        with self._one_at_a_time:
            self._left += len(self._contents.pop(address, b""))
