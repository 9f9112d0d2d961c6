"""Reads QuickSight's expressions of calculated fields far enough to say what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

FUNCTIONS = frozenset(("addDateTime", "dateDiff", "ifelse", "isNull", "now", "sum", "sumIf", "switch", "toString", "truncDate"))
_TOKENS = re.compile(
    r"\s+|(?P<parameter>\$\{\w+\})|(?P<field>\{[^{}]*\})|(?P<text>'[^']*')|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z]\w*)"
    r"|(?P<sign><>|<=|>=|[-+*/=<>,])|(?P<open>\()|(?P<close>\))|(?P<odd>.)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A piece of an expression: `kind` is parameter, field, text, number, word, sign, open or close; names without their braces."""

    kind: str
    text: str


def tokens(expression: str) -> list[Token]:
    """The pieces of an expression; of the kind `odd` what belongs to none."""
    found = []
    for match in _TOKENS.finditer(expression):
        if match.lastgroup is not None:
            text = match.group()
            found.append(Token(match.lastgroup, text.strip("${}") if match.lastgroup in ("parameter", "field") else text))
    return found


def faults(expression: str, fields: Mapping[str, str], parameters: frozenset[str]) -> list[str]:
    """What is wrong with an expression over the fields, which have QuickSight's types, and the parameters."""
    pieces = tokens(expression)
    found = [f"a stray {piece.text}" for piece in pieces if piece.kind == "odd"]
    depth = 0
    for piece in pieces:
        depth += {"open": 1, "close": -1}.get(piece.kind, 0)
        if depth < 0:
            break
    if depth:
        found.append("brackets that do not close" if depth > 0 else "a bracket too many")
    for place, piece in enumerate(pieces):
        after = pieces[place + 1 : place + 3]
        called = bool(after) and after[0].kind == "open"
        match piece.kind:
            case "field" if piece.text not in fields:
                found.append(f"no field {{{piece.text}}}")
            case "parameter" if piece.text not in parameters:
                found.append(f"no parameter {piece.text}")
            case "word" if called and piece.text not in FUNCTIONS:
                found.append(f"no function {piece.text}")
            case "word" if not called and piece.text not in ("AND", "OR", "NULL"):
                found.append(f"a word {piece.text} that is neither field nor function")
        if piece.text in ("sum", "sumIf") and called and len(after) > 1 and fields.get(after[1].text, "DECIMAL") in ("STRING", "DATETIME"):
            found.append(f"a sum of {{{after[1].text}}}, which is {fields[after[1].text]}")
    return found


def type_of(expression: str, fields: Mapping[str, str]) -> str:
    """QuickSight's type of an expression: a field's own, a text where it gives texts, else a number."""
    return _type(tokens(expression), fields)


def _type(pieces: list[Token], fields: Mapping[str, str]) -> str:
    if len(pieces) == 1:
        return fields.get(pieces[0].text, "DECIMAL") if pieces[0].kind == "field" else "STRING" if pieces[0].kind == "text" else "DECIMAL"
    given = {"ifelse": 1, "switch": 2}.get(pieces[0].text if pieces else "")
    if given is not None and len(arguments := _arguments(pieces)) > given:
        return _type(arguments[given], fields)
    return "STRING" if pieces and pieces[0].text == "toString" else "DECIMAL"


def _arguments(pieces: list[Token]) -> list[list[Token]]:
    """What stands between the commas of the outermost brackets."""
    found: list[list[Token]] = [[]]
    depth = 0
    for piece in pieces[1:]:
        depth += {"open": 1, "close": -1}.get(piece.kind, 0)
        if depth == 1 and piece.text == ",":
            found.append([])
        elif depth > 1 or (depth == 1 and piece.kind != "open"):
            found[-1].append(piece)
    return found


def aggregates(expression: str) -> bool:
    """Whether an expression sums, so that a field well must not sum it again."""
    return any(piece.text in ("sum", "sumIf") for piece in tokens(expression))
