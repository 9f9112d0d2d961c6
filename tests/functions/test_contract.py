"""What the event contract takes, what it refuses, and in which words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.functions.events import line, placed, with_line, with_order
from tests.support.functions import load

contract = load("land_orders").contract
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TEXT = "text of 1 to 200 characters without control characters"
TIME = "a time such as 2026-03-01T10:00:00-03:00 from 2000 to tomorrow"
AMOUNT = "digits, at most 16, with at most two decimals after a point"
QUANTITY = "a whole number of at least 1 with at most 9 digits"


def reason(event: Any) -> str:
    """Why an event, or the text of one, is refused."""
    with pytest.raises(contract.Refused) as refused:
        contract.check(event if isinstance(event, str | bytes) else json.dumps(event), NOW)
    return str(refused.value)


def accepts(event: Any) -> None:
    text = json.dumps(event)
    assert contract.check(text, NOW) == text


def without(event: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != name}


@pytest.mark.parametrize("kind", ["order_placed", "order_cancelled", "item_returned"])
def test_each_type_of_event_lands_as_it_came(kind: str) -> None:
    accepts(placed(event_type=kind))


def test_the_line_is_the_event_without_line_breaks_between_its_parts() -> None:
    pretty = json.dumps(placed(), indent=1, ensure_ascii=False).replace("\n", "\r\n")
    found = contract.check(f"\n{pretty}\n", NOW)
    assert found == pretty.replace("\r\n", "  ")
    assert json.loads(found) == placed()


def test_a_text_may_hold_what_only_some_readers_take_for_a_line_break() -> None:
    accepts(with_order(note="line\u2028separator"))
    assert "\u2028" in contract.check(json.dumps(with_order(note="a\u2028b"), ensure_ascii=False), NOW)


def test_a_cancelled_order_needs_its_id_and_its_line_numbers_alone() -> None:
    accepts(placed(event_type="order_cancelled", order={"order_id": "PED-1", "lines": [{"line": 1}, {"line": "2"}]}))
    accepts(
        placed(event_type="order_cancelled", order={"order_id": "PED-1", "ordered_at": 7, "customer": 7, "lines": [{"line": 1, "sku": 7}]})
    )
    assert (
        reason(placed(event_type="order_cancelled", order={"order_id": "PED-1"}))
        == "order.lines: missing, expected a list of 1 to 500 lines"
    )


def test_a_return_may_name_the_order_it_takes_back_from_and_a_sale_may_not() -> None:
    event = with_order(returns_order_id="PED-0")
    accepts(event | {"event_type": "item_returned"})
    assert reason(event) == "order.returns_order_id: text, expected none but in an item_returned"


def test_unknown_fields_are_kept_and_null_counts_as_absent() -> None:
    accepts(with_order(channel=None, customer=None, returns_order_id=None, gift={"wrapped": [True, None, 1.5e300]}))
    assert reason(with_order(store_id=None)) == f"order.store_id: missing, expected {TEXT}"


@pytest.mark.parametrize("name", ["order_id", "ordered_at", "store_id", "currency", "lines"])
@pytest.mark.parametrize("kind", ["order_placed", "item_returned"])
def test_a_sale_and_a_return_need_each_of_these(kind: str, name: str) -> None:
    event = placed(event_type=kind)
    assert reason(event | {"order": without(event["order"], name)}).startswith(f"order.{name}: missing, expected ")


@pytest.mark.parametrize("name", ["line", "sku", "quantity", "unit_price"])
def test_a_line_needs_each_of_these(name: str) -> None:
    assert reason(with_order(lines=[line(1), without(line(2), name)])).startswith(f"order.lines[1].{name}: missing, expected ")


@pytest.mark.parametrize("name", ["event_id", "event_type", "source", "occurred_at"])
def test_an_event_needs_each_of_these(name: str) -> None:
    assert reason(without(placed(), name)).startswith(f"{name}: missing, expected ")


def test_an_order_needs_no_customer_but_one_that_is_no_object_is_refused() -> None:
    event = placed()
    accepts(event | {"order": without(event["order"], "customer")})
    for customer, found in (("Ana", "text"), ([], "a list"), (False, "true or false"), (7, "a whole number")):
        assert reason(with_order(customer=customer)) == f"order.customer: {found}, expected an object or nothing"


def test_an_event_needs_an_order() -> None:
    assert reason(without(placed(), "order")) == "order: missing, expected an object"
    assert reason(placed(order="PED-1")) == "order: text, expected an object"


def test_a_wrong_quantity_is_told_by_its_kind() -> None:
    found = {
        "text": "2",
        "true or false": True,
        "a decimal number": 2.0,
        "zero": 0,
        "a negative number": -1,
        "a number of 10 digits": 1_000_000_000,
        "a list": [1],
        "an object": {},
    }
    assert {kind: reason(with_line(quantity=value)) for kind, value in found.items()} == {
        kind: f"order.lines[0].quantity: {kind}, expected {QUANTITY}" for kind in found
    }


@pytest.mark.parametrize("amount", ["0", "0.5", "0.50", "9999999999999999.99", 0, 7, 7.5, "007.10"])
def test_an_amount_is_digits_with_up_to_two_decimals(amount: Any) -> None:
    accepts(with_line(unit_price=amount, discount=amount, freight=amount))


@pytest.mark.parametrize(
    ("amount", "found"),
    [
        ("1.999", "text of another form"),
        (1.999, "a decimal number of another form"),
        ("1,50", "text of another form"),
        ("1.", "text of another form"),
        (".5", "text of another form"),
        ("", "text of another form"),
        (" 1", "text of another form"),
        ("1\n", "text of another form"),
        ("١٢", "text of another form"),
        ("1e2", "text of another form"),
        ("NaN", "text of another form"),
        (1e22, "a decimal number of another form"),
        (10**16, "a whole number of another form"),
        (-1, "a negative number"),
        ("-0.01", "a negative number"),
        (True, "true or false"),
        ([], "a list"),
    ],
)
def test_an_amount_of_another_form_is_refused(amount: Any, found: str) -> None:
    assert reason(with_line(unit_price=amount)) == f"order.lines[0].unit_price: {found}, expected {AMOUNT}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "blank text"),
        (" \u00a0\u3000", "blank text"),
        ("x" * 201, "text of 201 characters"),
        ("a\x00b", "text with a control character"),
        ("a\tb", "text with a control character"),
        ("a\x85b", "text with a control character"),
        (1, "a whole number"),
        (1.5, "a decimal number"),
        (False, "true or false"),
    ],
)
def test_a_text_is_short_not_blank_and_without_control_characters(text: Any, found: str) -> None:
    assert reason(with_order(order_id=text)) == f"order.order_id: {found}, expected {TEXT}"
    assert reason(with_order(customer={"name": text})) == f"order.customer.name: {found}, expected {TEXT}"


def test_a_text_of_200_characters_of_any_language_is_taken() -> None:
    accepts(with_order(order_id="ç" * 200, customer={"name": "𠮷 👩‍💻\u00a0ا"}))
    assert reason(placed(event_id="x" * 101)).startswith("event_id: text of 101 characters, expected text of 1 to 100")


@pytest.mark.parametrize(
    "time",
    [
        "2000-01-01T00:00:00Z",
        "2024-02-29T23:59:59+14:00",
        "2026-03-03T12:00:00Z",
        "2026-03-01T10:00:00.1-03:00",
        "2026-03-03T09:00:00-03:00",
    ],
)
def test_a_time_has_an_offset_and_lies_between_2000_and_tomorrow(time: str) -> None:
    accepts(placed(occurred_at=time))
    accepts(with_order(ordered_at=time))


@pytest.mark.parametrize(
    ("time", "found"),
    [
        ("2026-03-03T12:00:00.000001Z", "a time in the future"),
        ("2026-03-03T12:00:00-00:01", "a time in the future"),
        ("9999-12-31T23:59:59-14:59", "a time in the future"),
        ("2026-03-01T10:00:00+15:00", "other text"),
        ("1999-12-31T23:59:59Z", "a time before 2000"),
        ("0001-01-01T00:00:00+14:59", "a time before 2000"),
        ("0000-01-01T00:00:00Z", "a day that no calendar has"),
        ("2025-02-29T00:00:00Z", "a day that no calendar has"),
        ("2026-03-01T24:00:00Z", "other text"),
        ("2026-03-01T23:59:60Z", "other text"),
        ("2026-03-01T10:00:00", "other text"),
        ("2026-03-01 10:00:00Z", "other text"),
        ("2026-03-01T10:00:00.1234567Z", "other text"),
        ("2026-03-01T10:00:00-0300", "other text"),
        ("2026-W09-7T10:00:00Z", "other text"),
        ("٢٠٢٦-03-01T10:00:00Z", "other text"),
        (1772366400, "a whole number"),
    ],
)
def test_a_time_of_another_form_or_another_age_is_refused(time: Any, found: str) -> None:
    assert reason(placed(occurred_at=time)) == f"occurred_at: {found}, expected {TIME}"
    assert reason(with_order(ordered_at=time)) == f"order.ordered_at: {found}, expected {TIME}"


@pytest.mark.parametrize("source", ["ERP", "erp-br", "erp__br", "_erp", "1erp", "erp_", "erp br", "erp\n"])
def test_a_source_is_a_name_of_lower_case_words(source: str) -> None:
    assert reason(placed(source=source)).startswith("source: ")


def test_a_currency_is_three_capital_letters() -> None:
    assert reason(with_order(currency="reais")) == "order.currency: other text, expected 3 capital letters"
    assert reason(with_order(currency=986)) == "order.currency: a whole number, expected 3 capital letters"


def test_an_event_of_another_type_is_refused_for_that_alone() -> None:
    expected = "event_type: other text, expected order_placed or order_cancelled or item_returned"
    assert reason(placed(event_type="order_shipped", order={})) == expected


@pytest.mark.parametrize(("first", "second"), [(1, 1), (1, "1"), ("A", " A")])
def test_a_line_number_may_not_come_twice(first: Any, second: Any) -> None:
    found = reason(with_order(lines=[line(first), line("other"), line(second)]))
    assert found == "order.lines[2].line: the same as that of order.lines[0], expected another"


def test_an_order_has_1_to_500_lines() -> None:
    accepts(with_order(lines=[line(number) for number in range(500)]))
    assert (
        reason(with_order(lines=[line(number) for number in range(501)])) == "order.lines: a list of 501, expected a list of 1 to 500 lines"
    )
    assert reason(with_order(lines=[])) == "order.lines: a list of 0, expected a list of 1 to 500 lines"
    assert reason(with_order(lines=[line(1), 7])) == "order.lines[1]: a whole number, expected an object"


def test_the_first_three_reasons_are_told() -> None:
    found = reason(with_line(sku="", quantity=0, unit_price=-1, discount=-1))
    assert [part.partition(":")[0] for part in found.split("; ")] == [
        f"order.lines[0].{name}" for name in ("sku", "quantity", "unit_price")
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", "not JSON: Expecting value at character 0"),
        ("pedido", "not JSON: Expecting value at character 0"),
        ('{"event_id": "x', "not JSON: Unterminated string starting at character 13"),
        ('{"a": NaN}', "not JSON: NaN, expected a number"),
        ('{"a": [-Infinity]}', "not JSON: -Infinity, expected a number"),
        ('{"a": "\x01"}', "not JSON: Invalid control character at character 7"),
        ("\ufeff{}", "not JSON: Expecting value at character 0"),
        ("[]", "a list, expected an object with an event"),
        ("null", "null, expected an object with an event"),
        ("1" * 5000, "a number of 5000 characters, expected at most 40"),
        ('{"a": 0.' + "1" * 5000 + "}", "a number of 5002 characters, expected at most 40"),
        ('{"sku": 1, "sku": 2}', "sku: given twice in one object, expected once"),
        ('{"line": 1, "sku": 1, "channel": 2, "sku": 2, "store_id": 3}', "sku: given twice in one object, expected once"),
        ('{"Ana": 1, "Ana": 2}', "a key that the contract does not know: given twice in one object, expected once"),
        (b'{"event_id": "\xff"}', "invalid UTF-8 at byte 14, expected JSON in UTF-8"),
        ("\ud800", "half a surrogate pair at character 0, expected text in Unicode"),
        ('{"a": ["\\ud800"]}', "half a surrogate pair in a text or a key, expected text in Unicode"),
        ('{"\\udfff": 1}', "half a surrogate pair in a text or a key, expected text in Unicode"),
        ("[" * 200_000, "nested deeper than 20 levels"),
        ('{"a":' * 50_000, "nested deeper than 20 levels"),
        (" " * (256 * 1024 + 1), "262145 bytes, expected at most 262144"),
        ("ç" * 131_073, "262146 bytes, expected at most 262144"),
    ],
)
def test_what_is_no_event_at_all_is_refused_with_a_reason(body: str | bytes, expected: str) -> None:
    assert reason(body) == expected


@pytest.mark.parametrize("letter", ["x", "ç"])
def test_an_event_of_the_greatest_size_is_taken_and_its_size_is_that_of_its_bytes(letter: str) -> None:
    before, after = json.dumps(with_order(note="NOTE")).encode().split(b"NOTE")

    def of(size: int) -> str:
        letters, rest = divmod(size - len(before + after), len(letter.encode()))
        return before.decode() + letter * letters + "x" * rest + after.decode()

    whole = of(262_144)
    assert len(whole.encode()) == 262_144
    assert contract.check(whole, NOW) == whole == contract.check(whole.encode(), NOW)
    assert reason(of(262_145)) == reason(of(262_145).encode()) == "262145 bytes, expected at most 262144"


def nested(levels: int) -> Any:
    """A value within so many objects, seen from the event's order."""
    inner: Any = 1
    for _ in range(levels):
        inner = {"a": inner}
    return inner


def test_nesting_ends_at_20_levels_the_event_being_the_first() -> None:
    accepts(with_order(gift=nested(18)))
    assert reason(with_order(gift=nested(19))) == "nested deeper than 20 levels"


def test_brackets_in_texts_and_many_objects_side_by_side_are_no_depth() -> None:
    accepts(with_order(note="[" * 150, gifts=[{"a": [1]} for _ in range(100)]))


def test_a_whole_surrogate_pair_and_an_escaped_backslash_are_text() -> None:
    accepts(with_order(note="\U0001f600"))
    accepts(with_order(note="\\ud800"))


def test_bytes_of_a_file_are_read_as_utf_8() -> None:
    text = json.dumps(with_order(note="ção"), ensure_ascii=False)
    assert contract.check(text.encode(), NOW) == text


def test_no_reason_tells_a_value() -> None:
    secret = "Ana-11144477735-São"  # pragma: allowlist secret
    bad: list[Any] = [secret, {"x": secret}, [secret], secret * 20, f"{secret}\x00"]
    paths = [lambda value, name=name: placed(**{name: value}) for name in placed()]
    paths += [lambda value, name=name: with_order(**{name: value}) for name in placed()["order"]]
    paths += [lambda value, name=name: with_line(**{name: value}) for name in line(1)]
    paths += [lambda value, name=name: with_order(customer={name: value}) for name in ("tax_id", "name", "email", "state")]
    reasons = []
    for make in paths:
        for value in bad:
            try:
                contract.check(json.dumps(make(value)), NOW)
            except contract.Refused as refused:
                reasons.append(str(refused))
    assert len(reasons) > 60
    assert not [text for text in reasons if "Ana" in text or "111" in text or "São" in text or not text.isascii()]
