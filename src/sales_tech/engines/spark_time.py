"""Times in a pack's format, read by Spark as DuckDB reads them.

Spark's own patterns take other texts for times than strptime does, so the format becomes a regular
expression, and its groups a time in the one form that a cast reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from sales_tech.errors import SettingsError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Possessive, since strptime takes all digits that it may and does not come back for a better fit.
_DIRECTIVES = {
    "d": r"(\d{1,2}+)",
    "m": r"(\d{1,2}+)",
    "Y": r"(\d{4})",
    "y": r"(\d{2})",
    "H": r"(\d{1,2}+)",
    "I": r"(\d{1,2}+)",
    "M": r"(\d{1,2}+)",
    "S": r"(\d{1,2}+)",
    "p": r"([AaPp][Mm])",
    "b": f"((?i:{'|'.join(_MONTHS)}))",
}


@dataclass(frozen=True)
class _Pattern:
    text: str
    groups: dict[str, int]


def local_time(text: exp.Expr, format: str) -> exp.Expr:
    """The expression that reads a text in a strptime format as a time without zone, null where it is none.

    Its time zone is that of the session, UTC. The first moment of the year 1000 and all before count as no time.
    Raises SettingsError for a directive that is not among `_DIRECTIVES`.
    """
    pattern = _pattern(format)
    matches = exp.Anonymous(this="rlike", expressions=[text.copy(), exp.Literal.string(pattern.text)])
    moment = exp.TryCast(this=_written(text, pattern), to=exp.DataType.build("timestamptz"), safe=True)
    first = sqlglot.parse_one("cast('1000-01-01 00:00:00' as timestamptz)", read="duckdb")
    return exp.case().when(matches, exp.func("nullif", exp.Greatest(this=moment, expressions=[first]), first.copy()))


def _written(text: exp.Expr, pattern: _Pattern) -> exp.Expr:
    # The time as year, month, day and clock: in one pass where the format has just these, else piece by piece.
    if set("Ymd") <= set(pattern.groups) <= set("YmdHMS"):
        places = {name: f"${pattern.groups[name]}" if name in pattern.groups else "00" for name in "YmdHMS"}
        form = exp.Literal.string("{Y}-{m}-{d} {H}:{M}:{S}".format(**places))
        return exp.Anonymous(this="regexp_replace", expressions=[text.copy(), exp.Literal.string(pattern.text), form])
    pieces = {
        "year": _group(text, pattern, "Y") or _two_digit_year(text, pattern) or exp.Literal.string("1900"),
        "month": _month_by_name(text, pattern) or _group(text, pattern, "m") or exp.Literal.string("01"),
        "day": _group(text, pattern, "d") or exp.Literal.string("01"),
        "hour": _group(text, pattern, "H") or _twelve_hours(text, pattern) or exp.Literal.string("00"),
        "minute": _group(text, pattern, "M") or exp.Literal.string("00"),
        "second": _group(text, pattern, "S") or exp.Literal.string("00"),
    }
    marks = [exp.Literal.string(mark) for mark in ("-", "-", " ", ":", ":")]
    first, *others = pieces.values()
    return exp.func("concat", first, *(part for pair in zip(marks, others, strict=True) for part in pair))


def _pattern(format: str) -> _Pattern:
    pieces = [r"\A\s*"]
    groups: dict[str, int] = {}
    for literal, directive in re.findall(r"([^%]+)|%(.)", format):
        if literal:
            pieces.append(re.escape(literal))
        elif directive in _DIRECTIVES and directive not in groups:
            groups[directive] = len(groups) + 1
            pieces.append(_DIRECTIVES[directive])
        else:
            known = ", ".join(f"%{name}" for name in _DIRECTIVES)
            raise SettingsError(f"format {format!r}: the Spark engine does not read %{directive}; expected each of {known} once at most")
    return _Pattern("".join([*pieces, r"\s*\z"]), groups)


def _group(text: exp.Expr, pattern: _Pattern, directive: str) -> exp.Expr | None:
    if directive not in pattern.groups:
        return None
    group = exp.Literal.number(pattern.groups[directive])
    return exp.Anonymous(this="regexp_extract", expressions=[text.copy(), exp.Literal.string(pattern.text), group])


def _two_digit_year(text: exp.Expr, pattern: _Pattern) -> exp.Expr | None:
    # POSIX: 69 to 99 are of the last century.
    if (year := _group(text, pattern, "y")) is None:
        return None
    century = exp.case().when(exp.GTE(this=year.copy(), expression=exp.Literal.string("69")), exp.Literal.string("19"))
    return exp.func("concat", century.else_(exp.Literal.string("20")), year)


def _month_by_name(text: exp.Expr, pattern: _Pattern) -> exp.Expr | None:
    if (name := _group(text, pattern, "b")) is None:
        return None
    choice = exp.case(exp.func("lower", name))
    for number, month in enumerate(_MONTHS, start=1):
        choice = choice.when(exp.Literal.string(month), exp.Literal.string(f"{number:02}"))
    return choice


def _twelve_hours(text: exp.Expr, pattern: _Pattern) -> exp.Expr | None:
    if (hour := _group(text, pattern, "I")) is None:
        return None
    half = exp.func("lower", _group(text, pattern, "p") or exp.Literal.string("am"))
    number = exp.TryCast(this=hour.copy(), to=exp.DataType.build("int"), safe=True)
    afternoon = exp.case().when(half.eq("pm"), exp.Literal.number(12)).else_(exp.Literal.number(0))
    in_range = exp.and_(
        exp.GTE(this=number.copy(), expression=exp.Literal.number(1)), exp.LTE(this=number.copy(), expression=exp.Literal.number(12))
    )
    counted = exp.cast(exp.Add(this=exp.paren(exp.Mod(this=number, expression=exp.Literal.number(12))), expression=afternoon), "string")
    return exp.case().when(in_range, counted)
