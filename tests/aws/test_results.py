"""Athena's texts of values, read as Arrow."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from sales_tech.aws import results
from sales_tech.aws.results import ResultColumn, from_text, read_csv


def column(kind: str, precision: int = 0, scale: int = 0) -> ResultColumn:
    return ResultColumn.read({"Name": "x", "Type": kind, "Precision": precision, "Scale": scale})


def values(kind: str, *texts: str | None) -> list[object]:
    return from_text(pa.chunked_array([pa.array(texts, pa.string())]), column(kind)).to_pylist()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01 02:00:00.123456 UTC", datetime(2026, 3, 1, 2, 0, 0, 123456, UTC)),
        ("2026-03-01 02:00:00.123", datetime(2026, 3, 1, 2, 0, 0, 123000, UTC)),
        ("2026-03-01 02:00:00.000 America/Sao_Paulo", datetime(2026, 3, 1, 5, tzinfo=UTC)),
        ("2026-03-01 02:00:00.000 +05:30", datetime(2026, 2, 28, 20, 30, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_moment_is_in_utc_whatever_its_zone(text: str | None, moment: datetime | None) -> None:
    assert values("timestamp with time zone", "2026-01-01 00:00:00.000 UTC", text) == [datetime(2026, 1, 1, tzinfo=UTC), moment]


def test_a_clock_finer_than_microseconds_is_cut_to_them() -> None:
    assert values("timestamp", "2026-03-01 02:00:00.123456789", "2026-03-01 02:00:00.123", "2026-03-01 02:00:00") == [
        datetime(2026, 3, 1, 2, 0, 0, micro) for micro in (123456, 123000, 0)
    ]
    moment = datetime(2026, 3, 1, 5, 0, 0, 999999, UTC)
    assert values("timestamp with time zone", "2026-03-01 02:00:00.999999999999 America/Sao_Paulo") == [moment]


def test_numbers_as_athena_writes_them() -> None:
    assert values("double", "1.0E10", "-Infinity", None) == [1e10, float("-inf"), None]
    assert values("boolean", "true", "false") == [True, False]
    assert values("varbinary", "0a ff", None) == [b"\x0a\xff", None]
    assert values("interval day to second", "2 00:00:00.000") == ["2 00:00:00.000"]


def test_a_null_without_a_type_is_read_as_null() -> None:
    assert values("unknown", None, None) == [None, None]
    assert values("unknown") == []


def test_an_unquoted_blank_is_null_and_a_quoted_one_is_not() -> None:
    table = read_csv(io.BytesIO(b'"a b","a b"\n"",\n,"say ""x"",\ny"\n'), [column("varchar"), column("varchar")])
    assert table.column_names == ["x", "x"]
    assert [part.to_pylist() for part in table.columns] == [["", None], [None, 'say "x",\ny']]


def test_a_null_of_a_result_with_one_column_is_a_row_though_its_line_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "_BLOCK", 1 << 20)
    assert read_csv(io.BytesIO(b'"x"\n'), [column("bigint")]).column("x").to_pylist() == []
    assert read_csv(io.BytesIO(b'"x"\n\n'), [column("bigint")]).column("x").to_pylist() == [None]
    texts = [None if number % 3 else "" if number % 2 else f"{number}\n" for number in range(1_000_000)]
    told = '"x"\n' + "".join("\n" if text is None else f'"{text}"\n' for text in texts)
    assert len(told) > 2 << 20, "more than two of the blocks in which Arrow reads"
    assert read_csv(io.BytesIO(told.encode()), [column("varchar")]).column("x").to_pylist() == texts


def test_a_result_without_rows_has_its_columns() -> None:
    table = read_csv(io.BytesIO(b'"x"\n'), [column("decimal", 18, 2)])
    assert (len(table), str(table.schema.field(0).type)) == (0, "decimal128(18, 2)")


def test_a_text_may_be_as_long_as_a_row_of_athena() -> None:
    text = "x" * (32 << 20)
    assert read_csv(io.BytesIO(f'"x"\n"a"\n"{text}"\n"b"\n'.encode()), [column("varchar")]).column("x").to_pylist() == ["a", text, "b"]


def test_a_text_of_several_lines_is_one_value_wherever_the_reader_cuts_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "_BLOCK", 1 << 20)
    texts = [f"{number}\n{'x' * (number % 7)}\n" for number in range(200_000)]
    told = '"x"\n' + "".join(f'"{text}"\n' for text in texts)
    assert len(told) > 2 << 20, "more than two of the blocks in which Arrow reads"
    assert read_csv(io.BytesIO(told.encode()), [column("varchar")]).column("x").to_pylist() == texts
