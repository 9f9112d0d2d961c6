"""The orders API: one page at a time over HTTPS, tried again while that may help and time is left."""

from __future__ import annotations

import json
import logging
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, InvalidURL
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from orders import NoPage, parse
from services import NotPolled

LOG = logging.getLogger("poll_orders")

LARGEST_PAGE = 10_000_000
_TRIES = 6
_PATIENCE = 10.0
"""Seconds for the API to connect or to send the next part of an answer; a whole page may take three times that."""

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 20.0
_PASSING = (408, 429)  # a request that took too long (RFC 9110, 15.5.9) and too many of them (RFC 6585)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NoTime(Exception):
    """The invocation's time ends before the next page could be had; the text says what it was waiting for."""


class Page(NamedTuple):
    """One page: its orders as they were sent, and the cursor of the next one, None where there is none."""

    orders: list[Any]
    next_cursor: str | None


class _Again(Exception):
    """A failure that may pass; `wait` are the seconds that the API asked for."""

    def __init__(self, problem: str, wait: float = 0.0) -> None:
        super().__init__(problem)
        self.wait = wait


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: urllib would send the token to wherever it leads."""

    def redirect_request(self, *_: object) -> None:
        return None


class OrdersApi:
    """The pages of an orders API; `left` tells the seconds that may still be spent."""

    def __init__(self, url: str, token: str, left: Callable[[], float]) -> None:
        try:
            parts = urlsplit(url)
            _ = parts.port  # read only here, and refused where it is none
        except ValueError:
            raise NotPolled("the host or the port of ORDERS_API_URL cannot be read; expected https://host or https://host:port") from None
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
            raise NotPolled(
                f"ORDERS_API_URL begins with {parts.scheme or 'nothing'}://{parts.hostname or ''}, expected https:// and a host"
            )
        if parts.fragment:
            raise NotPolled("ORDERS_API_URL holds a fragment, behind which no cursor would be sent; expected an address without #")
        self._url, self._token, self._left = url.strip(), token, left
        self._where = f"{parts.hostname}{parts.path}"
        self._opener = urllib.request.build_opener(_NoRedirect)

    def page(self, cursor: str | None) -> Page:
        """The page at a cursor. Raises NotPolled where it cannot be had, NoTime where there is no time to try."""
        problem = "the time was over before it was asked for"
        for tries in range(_TRIES):
            if self._left() <= 0:
                raise NoTime(problem)
            try:
                return self._page(cursor)
            except _Again as failure:
                problem = str(failure)
                wait = max(failure.wait, random.uniform(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2**tries)))  # noqa: S311 (spreads retries)
            LOG.warning(json.dumps({"problem": problem, "wait_seconds": round(wait, 1), "tries": tries + 1}))
            if wait >= self._left():
                raise NoTime(problem)
            if tries + 1 < _TRIES:
                time.sleep(wait)
        raise NotPolled(f"{self._where}: {problem}, {_TRIES} times in a row; expected a page of orders")

    def _page(self, cursor: str | None) -> Page:
        try:
            page = parse(self._get(cursor))
        except NoPage as error:
            # An answer that was cut off looks like this, too.
            raise _Again(str(error)) from error
        if not isinstance(page, dict) or not isinstance(page.get("orders"), list) or "next_cursor" not in page:
            raise NotPolled(f"{self._where}: the answer has another form, expected an object with a list `orders` and a `next_cursor`")
        following = page["next_cursor"]
        if isinstance(following, bool) or not isinstance(following, str | int | None):
            raise NotPolled(f"{self._where}: next_cursor is {type(following).__name__}, expected text or null")
        return Page(page["orders"], None if following in (None, "") else str(following))

    def _get(self, cursor: str | None) -> bytes:
        joint = "&" if "?" in self._url else "?"
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        try:
            url = self._url if cursor is None else f"{self._url}{joint}{urlencode({'cursor': cursor})}"
            request = urllib.request.Request(url, headers=headers)  # noqa: S310 (the scheme was checked)
            with self._opener.open(request, timeout=min(_PATIENCE, max(self._left(), 0.1))) as answer:
                return self._read(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise self._status(error) from None
        except urllib.error.URLError as error:
            raise _Again(f"no connection ({type(error.reason).__name__})") from None
        except (InvalidURL, UnicodeError) as error:
            raise NotPolled(
                f"{self._where}: ORDERS_API_URL or the cursor cannot be asked for ({type(error).__name__}); "
                "expected an address in ASCII without blanks, and a port in digits"
            ) from None
        except (OSError, HTTPException) as error:
            raise _Again(f"the answer broke off ({type(error).__name__})") from None

    def _read(self, answer: Any) -> bytes:
        end = time.monotonic() + min(3 * _PATIENCE, max(self._left(), 0.1))
        content = bytearray()
        while part := answer.read1(1 << 16):
            content += part
            if len(content) > LARGEST_PAGE:
                raise NotPolled(
                    f"{self._where}: a page of more than {LARGEST_PAGE} bytes; expected smaller pages, which the API may have a setting for"
                )
            if time.monotonic() > end:
                raise _Again("the answer came too slowly")
        declared = answer.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) != len(content):
            raise _Again(f"the answer broke off after {len(content)} of {declared} bytes")
        return bytes(content)

    def _status(self, error: urllib.error.HTTPError) -> Exception:
        if error.code in _PASSING or error.code >= 500:
            return _Again(f"status {error.code}", _retry_after(error.headers.get("Retry-After")))
        if error.code in (401, 403):
            return NotPolled(
                f"{self._where}: status {error.code}, the API does not take the token; expected one that it takes in TOKEN_SECRET"
            )
        if 300 <= error.code < 400:
            return NotPolled(
                f"{self._where}: status {error.code}, a redirect, which is not followed; expected the final address in ORDERS_API_URL"
            )
        return NotPolled(f"{self._where}: status {error.code}, expected 200; the cursor or ORDERS_API_URL may be wrong")


def _retry_after(text: str | None) -> float:
    """The seconds that a Retry-After asks for, in either of its forms; none where it cannot be read."""
    if not text:
        return 0.0
    if text.strip().isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
