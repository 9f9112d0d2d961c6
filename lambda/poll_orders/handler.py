"""Polls an orders API page by page and puts each order on the queue as an event.

The cursor moves to the next page only after all orders of a page are on the queue. A crash in between sends a page
twice, and since an event's id follows from its content that is the same events: downstream each counts once. The
last page is asked for again at each poll, since orders are added to it, but sent only where it has changed.

ORDERS_API_URL    where pages are asked for: GET {ORDERS_API_URL}?cursor=<cursor>, the first one without a cursor
TOKEN_SECRET      the secret in Secrets Manager with the API's token: plain text, or JSON with the key `token`
CURSOR_PARAMETER  the parameter in SSM that holds how far polling came: JSON with `cursor` and `last_page`, or a
                  cursor as plain text, to begin elsewhere; `{}` begins at the first page
QUEUE_URL         the queue that land_orders consumes
SOURCE            the name of the source that the events bear, e.g. erp_br
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from api import NoTime, OrdersApi
from orders import event_of, page_digest
from services import NotPolled, read_cursor, read_token, send, write_cursor

LOG = logging.getLogger("poll_orders")
LOG.setLevel(logging.INFO)

_RESERVE = 10.0
"""Seconds kept back for sending a page that was fetched: some 500 calls of ten orders. A page for which that is too
little is cut short by Lambda's timeout; the next invocation begins with it, and so has all its time for it."""

_NAMES = ("ORDERS_API_URL", "TOKEN_SECRET", "CURSOR_PARAMETER", "QUEUE_URL", "SOURCE")


class Cursor(NamedTuple):
    """How far polling came: the page to ask for (None is the first), and the digest of that page if it was sent."""

    page: str | None
    sent: str | None


def handler(event: object, context: Any) -> dict[str, Any]:
    """Poll until there is no further page or no time left; tells what was done.

    Raises NotPolled where the API, a service or a setting does not do its part; the cursor then stands at the first
    page that was not sent.
    """
    settings = _settings()
    left = _seconds_left(context)
    api = OrdersApi(settings["ORDERS_API_URL"], read_token(settings["TOKEN_SECRET"]), left)
    done: dict[str, Any] = {"pages": 0, "orders": 0, "stopped": "by an error"}
    try:
        _poll(api, settings, done)
        done["stopped"] = "no further page"
    except NoTime as error:
        if not done["pages"]:
            raise NotPolled(f"no page in the time of this invocation: {error}") from error
        done["stopped"] = f"no time left: {error}"
    finally:
        LOG.info(json.dumps(done))
    return done


def _poll(api: OrdersApi, settings: dict[str, str], done: dict[str, Any]) -> None:
    parameter = settings["CURSOR_PARAMETER"]
    cursor = _cursor(read_cursor(parameter))
    seen = {cursor.page}
    while True:
        page = api.page(cursor.page)
        events = [event_of(order, settings["SOURCE"]) for order in page.orders]
        digest = page_digest(events)
        if digest != cursor.sent:
            send(settings["QUEUE_URL"], events)
            done["orders"] += len(events)
        done["pages"] += 1
        last = page.next_cursor is None or page.next_cursor == cursor.page
        reached = Cursor(cursor.page, digest) if last else Cursor(page.next_cursor, None)
        if reached != cursor:
            write_cursor(parameter, json.dumps({"cursor": reached.page, "last_page": reached.sent}))
        if last:
            return
        if reached.page in seen:
            raise NotPolled(f"page {done['pages']} leads back to a page before it; expected cursors that go on to the last page")
        seen.add(reached.page)
        cursor = reached


def _cursor(text: str | None) -> Cursor:
    """The cursor of the parameter's text; anything but our own JSON is a cursor that somebody wrote by hand."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return Cursor(text, None)
    if not isinstance(found, dict):
        return Cursor(text, None)
    page = found.get("cursor")
    return Cursor(None if page is None else str(page), found.get("last_page"))


def _settings() -> dict[str, str]:
    missing = [name for name in _NAMES if not os.environ.get(name)]
    if missing:
        raise NotPolled(f"{', '.join(missing)} not set; expected what the head of poll_orders/handler.py says")
    return {name: os.environ[name] for name in _NAMES}


def _seconds_left(context: Any) -> Callable[[], float]:
    """The seconds that may still be spent on fetching; without Lambda's context there is no end."""
    if context is None:
        return lambda: float("inf")
    end = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _RESERVE
    return lambda: end - time.monotonic()
