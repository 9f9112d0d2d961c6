"""The primitives that turn text into types, each against the same rule written again in Python."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sales_tech.engines.duck import DuckEngine

KEY = b"a key for tests"
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
FORMAT = "%d/%m/%Y %H:%M:%S"
# What can stand in a Parquet or CSV file: any Unicode but lone surrogates.
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=25)
# Garbage that is nearly right finds more than garbage.
NUMBERLIKE = st.text("0123456789+-., eE_٣x\t\xa0", max_size=24)
DATELIKE = st.text("0123456789/:- \t", max_size=22)
PRIMITIVES = [
    "clean(x)",
    "plain_number(x, ',', 2)",
    "plain_number(x, '.', 2)",
    "try_cast(plain_number(x, ',', 2) as decimal(18,2))",
    "try_cast(plain_number(x, '.', 0) as decimal(38,0))",
    "as_integer(x)",
    "as_boolean(x)",
    "as_date(x, '%d/%m/%Y')",
    "as_date(x, '%Y%m%d')",
    "as_date(x, '%d-%b-%y')",
    "as_timestamp(x, '%d/%m/%Y %H:%M:%S', 'America/Sao_Paulo')",
    "as_timestamp(x, '%Y-%m-%d %I:%M %p', 'UTC')",
    "as_instant(x)",
    "local_day(as_instant(x), 'America/Sao_Paulo')",
    "keyed_hash(x)",
]
Texts = list[str | None]


def read(engine: DuckEngine, expression: str, texts: Texts) -> list[Any]:
    """An expression over each text, in their order."""
    table = pa.table({"n": pa.array(range(len(texts)), pa.int64()), "x": pa.array(texts, pa.string())})
    with engine.arrow_view("given_texts", table):
        return [value for _, value in engine.rows(f"select n, {expression} from given_texts order by n")]


def same(engine: DuckEngine, expression: str, texts: Texts, oracle: Callable[[str], Any]) -> None:
    found = read(engine, expression, texts)
    expected = [None if text is None else oracle(text) for text in texts]
    assert list(zip(texts, found, strict=True)) == list(zip(texts, expected, strict=True))


def many(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[Texts]:
    return st.lists(st.none() | strategy, min_size=1, max_size=40)


@given(many(ANY_TEXT | NUMBERLIKE | DATELIKE))
@example(["9" * 400, "1e999", "-" * 30, "\0", "infinity", "-infinity", "epoch", "nan", "0000-00-00", "00/00/0000", "%", "\U0010ffff"])
@example(["31/12/9999 23:59:59", "01/01/0000", "01/01/0001 00:00:00", "29/02/1900", "99999999999999999999,99"])
def test_no_text_makes_a_primitive_fail(engine: DuckEngine, texts: Texts) -> None:
    with engine.arrow_view("any_texts", pa.table({"x": pa.array(texts, pa.string())})):
        counts = engine.row(f"select {', '.join(f'count({primitive})' for primitive in PRIMITIVES)} from any_texts")
    assert all(count <= len(texts) for count in counts)


@pytest.mark.parametrize("primitive", PRIMITIVES)
def test_null_and_blank_text_is_null(engine: DuckEngine, primitive: str) -> None:
    blanks: Texts = [None, "", " ", "\t", "\xa0\u2003", "\r\n"]
    assert read(engine, primitive.replace("x", "clean(x)", 1), blanks) == [None] * len(blanks)


@given(many(ANY_TEXT | st.text(" \t\r\n\x0b\x0c\x1c\x1f\x85\xa0\u2003\u3000\u200b\ufeffaçã~!", max_size=8)))
def test_clean_takes_away_what_python_calls_whitespace(engine: DuckEngine, texts: Texts) -> None:
    same(engine, "clean(x)", texts, lambda text: text.strip() or None)


def number(text: str, mark: str, scale: int = 2, precision: int = 18) -> Decimal | None:
    """The number that a text shows in a country's notation, if it shows one that fits exactly."""
    sign = -1 if text.startswith("-") else 1
    whole, _, decimals = text.removeprefix("-" if sign < 0 else "+").partition(mark)
    if mark == "," and "." in whole:
        first, *others = whole.split(".")
        if not 1 <= len(first) <= 3 or first.startswith("0") or any(len(group) != 3 for group in others):
            return None
        whole = first + "".join(others)
    digits = whole + decimals
    if not digits or not all(character in "0123456789" for character in digits):
        return None
    exact = Decimal(f"{whole or '0'}.{decimals or '0'}")
    fits = exact == round(exact, scale) and exact < 10 ** (precision - scale)
    return sign * exact if fits else None


@st.composite
def written_numbers(draw: st.DrawFn) -> str:
    value = draw(st.decimals(-(10**15), 10**15, places=draw(st.integers(0, 4))))
    text = f"{value:,}" if draw(st.booleans()) else f"{value}"
    return text if draw(st.booleans()) else text.translate(str.maketrans(",.", ".,"))


@pytest.mark.parametrize("mark", [",", "."])
@given(texts=many(written_numbers() | NUMBERLIKE))
@example(
    texts=["1e5", "1E-3", "12e-5", "1_000", "+1", "-,5", ",5", "5,", "5.", ".5", "+", "-", ",", ".", "1,", "1.5,", "1.234,500", "1.23"]
)
@example(
    texts=["9999999999999999,99", "10000000000000000", "0000000000000000000001,10", "1,005", "1,00500", "1.005", "12.345", "1 000", " 1"]
)
def test_a_number_is_read_exactly_or_not_at_all(engine: DuckEngine, mark: str, texts: Texts) -> None:
    # `number` says what a text means; the decimal of the engine must be that, never a rounded one.
    same(engine, f"try_cast(plain_number(x, '{mark}', 2) as decimal(18,2))", texts, lambda text: number(text, mark))


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("1.234,5", ",", "1234.50"),
        ("1234.5", ".", "1234.50"),
        ("-0,01", ",", "-0.01"),
        ("1.234.567,89", ",", "1234567.89"),
        ("1,50000", ",", "1.50"),
    ],
)
def test_both_marks(engine: DuckEngine, text: str, mark: str, expected: str) -> None:
    assert read(engine, f"try_cast(plain_number(x, '{mark}', 2) as decimal(18,2))", [text]) == [Decimal(expected)]


@pytest.mark.parametrize("text", ["0.123", "-0.500", "01.234"])
def test_a_nought_begins_no_thousands(any_engine: DuckEngine, text: str) -> None:
    assert read(any_engine, "plain_number(x, ',', 2)", [text]) == [None]


def whole(text: str) -> int | None:
    found = re.fullmatch(r"([+-]?[0-9]{1,18})(?:[.,](0+))?", text)
    if found is None or (found[2] == "000" and len(found[1].strip("+-")) <= 3):
        return None
    return int(found[1])


@given(many(NUMBERLIKE | st.integers(-(10**20), 10**20).map(str) | st.from_regex(r"[+-]?[0-9]{1,20}[.,]0{1,4}", fullmatch=True)))
@example(["9" * 18, "9" * 19, str(2**63), "1.000", "1,000", "1.00", "12,0", "1.", "-0", "1234.000", "٣"])
def test_a_whole_number_is_read_and_a_huge_or_ambiguous_one_is_not(engine: DuckEngine, texts: Texts) -> None:
    same(engine, "as_integer(x)", texts, whole)


@given(many(st.sampled_from(["true", "T", "yes", "Y", "1", "SIM", "s", "false", "No", "0", "não", "NÃO", "nao", "talvez", "2"]) | ANY_TEXT))
def test_words_for_true_and_false(engine: DuckEngine, texts: Texts) -> None:
    yes, no = {"true", "t", "yes", "y", "1", "sim", "s"}, {"false", "f", "no", "n", "0", "não", "nao"}
    ascii_or_known = [text for text in texts if text is None or text.isascii() or text.lower() in yes | no]
    same(engine, "as_boolean(x)", ascii_or_known, lambda text: True if text.lower() in yes else False if text.lower() in no else None)


def day(text: str) -> date | None:
    try:
        found = datetime.strptime(text, "%d/%m/%Y").date()
    except ValueError:
        return None
    return found if found > date(1000, 1, 1) else None


@given(many(st.dates().map(lambda value: f"{value:%d/%m/}{value.year:04}") | st.from_regex(r"[0-9]{2}/[0-9]{2}/[0-9]{4}", fullmatch=True)))
@example(
    [
        "31/02/2020",
        "29/02/2020",
        "29/02/1900",
        "00/01/2020",
        "01/13/2020",
        "01/01/0000",
        "1/2/2020",
        "01/02/20",
        "01/02/20200",
        "01/02/2020x",
    ]
)
@example(["infinity", "-infinity", "INFINITY", "epoch", "Epoch", "today", "now", "01/01/1900", "31/12/9999"])
def test_a_date_is_one_of_the_calendar(engine: DuckEngine, texts: Texts) -> None:
    same(engine, "as_date(x, '%d/%m/%Y')", texts, day)


def instant(local: datetime) -> datetime:
    """The later instant of a local time that a clock shows twice; a skipped one as if the clock had not been put on."""
    fold = 1 if (local.replace(tzinfo=SAO_PAULO, fold=1).astimezone(UTC).astimezone(SAO_PAULO).replace(tzinfo=None) == local) else 0
    return local.replace(tzinfo=SAO_PAULO, fold=fold).astimezone(UTC)


@given(
    st.lists(
        st.datetimes(datetime(1920, 1, 1), datetime(2035, 12, 31)).map(lambda value: value.replace(microsecond=0)), min_size=1, max_size=40
    )
)
@example([datetime(2017, 10, 15, 0, 30), datetime(2018, 2, 17, 23, 30), datetime(2018, 11, 4, 0, 0), datetime(2019, 2, 16, 23, 59, 59)])
@example([datetime(2018, 7, 1, 12), datetime(2018, 12, 1, 12), datetime(2020, 12, 1, 12)])
def test_a_local_time_is_an_instant_by_its_zone(engine: DuckEngine, moments: list[datetime]) -> None:
    texts = [moment.strftime(FORMAT) for moment in moments]
    same(engine, f"as_timestamp(x, '{FORMAT}', 'America/Sao_Paulo')", texts, lambda text: instant(datetime.strptime(text, FORMAT)))


_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})")


def rfc3339(text: str) -> datetime | None:
    """The instant that a text by RFC 3339 shows, in years that every clock on Earth can show."""
    if not _RFC3339.fullmatch(text) or (text[-6] in "+-" and int(text[-5:-3]) > 14) or not "0002" <= text <= "9999":
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except ValueError:
        return None


OFFSETS = st.sampled_from(("Z", "z", "+00:00", "-03:00", "-02:00", "+05:45", "+14:00", "-14:59", "+15:00", "-03", "-0300", ""))
WRITTEN_INSTANTS = st.builds(
    lambda moment, blank, offset: f"{moment.isoformat(blank)}{offset}", st.datetimes(datetime(2, 1, 1)), st.sampled_from("T "), OFFSETS
)


@given(many(WRITTEN_INSTANTS | st.text("0123456789-:TZ+. ", max_size=30)))
@example(["2026-02-30T10:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T23:59:60Z", "2026-03-01t10:00:00z", "2026-03-01T10:00:00"])
def test_an_instant_is_read_by_rfc_3339_or_not_at_all(engine: DuckEngine, texts: Texts) -> None:
    same(engine, "as_instant(x)", texts, rfc3339)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-11T02:59:59Z", date(2026, 1, 10)),
        ("2026-01-11T03:00:00Z", date(2026, 1, 11)),
        ("2018-12-15T02:30:00Z", date(2018, 12, 15)),  # summer time, two hours behind
        ("2026-01-10T23:30:00-03:00", date(2026, 1, 10)),
    ],
)
def test_the_local_day_is_that_of_the_zone(engine: DuckEngine, text: str, expected: date) -> None:
    assert read(engine, "local_day(as_instant(x), 'America/Sao_Paulo')", [text]) == [expected]


def test_summer_time_of_brazil_ended_in_2019(engine: DuckEngine) -> None:
    summers = {2017: 2, 2018: 2, 2019: 3, 2020: 3}
    for year, behind in summers.items():
        (found,) = read(engine, f"as_timestamp(x, '{FORMAT}', 'America/Sao_Paulo')", [f"15/12/{year} 12:00:00"])
        assert found == datetime(year, 12, 15, 12, tzinfo=UTC) + timedelta(hours=behind)


@given(many(st.text(st.characters(max_codepoint=0x24F, exclude_characters="İ"), max_size=120)))
def test_the_hash_is_an_hmac_of_the_trimmed_lower_case_text(engine: DuckEngine, texts: Texts) -> None:
    def hashed(text: str) -> str | None:
        plain = text.strip().lower()
        return hmac.new(KEY, plain.encode(), hashlib.sha256).hexdigest()[:32] if plain else None

    same(engine, "keyed_hash(x)", texts, hashed)


@pytest.mark.parametrize("length", [1, 63, 64, 65, 200])
def test_the_key_may_have_any_length(tmp_path: Any, length: int) -> None:
    key = b"k" * length
    duck = DuckEngine(scratch=tmp_path, memory_limit="200MB", threads=1, hash_key=key)
    assert duck.row("select keyed_hash('123.456.789-09')") == (hmac.new(key, b"123.456.789-09", hashlib.sha256).hexdigest()[:32],)
    duck.close()


def test_an_engine_without_a_key_refuses_to_hash(tmp_path: Any) -> None:
    duck = DuckEngine(scratch=tmp_path, memory_limit="200MB", threads=1)
    with pytest.raises(duck.Error, match="without a hash key"):
        duck.rows("select keyed_hash('a')")
    duck.close()
