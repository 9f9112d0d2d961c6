"""YAML files that remember on which line each value stands, so that an error can name it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from sales_tech.errors import ContractError

_Key = tuple[Hashable, ...]
_Model = TypeVar("_Model", bound=BaseModel)


class Misfit(ValueError):
    """A value that does not fit the others; raised by a model's validator with the key it stands under."""

    def __init__(self, key: _Key, found: str, expected: str) -> None:
        self.key = key
        super().__init__(f"{found}; expected {expected}")


@dataclass(frozen=True)
class Document:
    """One YAML file: its mapping, the 1-based line of every key and item in it, and where its settings are described."""

    path: Path
    data: dict[str, Any]
    lines: dict[_Key, int]
    guide: str

    @classmethod
    def load(cls, path: Path, guide: str = "docs/packs.md") -> Document:
        """Read a YAML mapping; ContractError on bad syntax, a repeated key or anything but a mapping."""
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ContractError(path, None, f"bytes that are not UTF-8 ({error.reason})", "a YAML file in UTF-8") from error
        lines: dict[_Key, int] = {}
        try:
            root = _composed(text)
            if not isinstance(root, yaml.MappingNode):
                raise ContractError(path, 1, _kind(root), "a YAML mapping of names to values")
            _walk(path, root, (), lines, ())
            return cls(path, yaml.constructor.SafeConstructor().construct_document(root), lines, guide)
        except yaml.reader.ReaderError as error:
            row = text.count("\n", 0, int(error.position)) + 1
            raise ContractError(path, row, f"the character {chr(error.character)!r}", "text without control characters") from error
        except ValueError as error:  # such as the date 2026-13-45, which YAML reads as one where it is not quoted
            raise ContractError(path, None, f"a value that YAML cannot read ({error})", "text in quotes where it is no date") from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else None
            raise ContractError(path, line, error.problem or "text that is not YAML", "valid YAML") from error

    def line(self, *key: Hashable) -> int:
        """The line of a key, or of the nearest key around it that exists."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def error(self, key: _Key, found: str, expected: str) -> ContractError:
        """An error that points at a key of this document."""
        return ContractError(self.path, self.line(*key), found, expected)

    def validate(self, model: type[_Model], **extra: Any) -> _Model:
        """Build a contract from the document; the first mistake becomes a ContractError with its line."""
        for name in extra.keys() & self.data.keys():
            raise self.error((name,), f"unknown setting {name}", f"no such setting, since the file's name gives the {name}")
        try:
            return model.model_validate({**self.data, **extra})
        except ValidationError as error:
            raise self._translate(error) from error

    def _key(self, location: _Key) -> _Key:
        # pydantic names the member of a union in between, which is no key of the document.
        key: _Key = ()
        for place, part in enumerate(location):
            if place == len(location) - 1 or (*key, part) in self.lines:
                key = (*key, part)
        return key

    def _translate(self, error: ValidationError) -> ContractError:
        # A misspelt name is both unknown and missing; where it stands says more than where it does not.
        mistakes = error.errors()
        first = next((mistake for mistake in mistakes if mistake["type"] == "extra_forbidden"), mistakes[0])
        key = self._key(first["loc"])
        name = ".".join(str(part) for part in key) or "the file"
        if first["type"] == "missing":
            return self.error(key[:-1], f"no {name}", f"a value for {key[-1]}")
        if first["type"] == "extra_forbidden":
            return self.error(key, f"unknown setting {name}", f"a setting named in {self.guide}")
        if first["type"] == "value_error":
            mistake = first["ctx"]["error"]
            found, _, expected = str(mistake).partition("; expected ")
            where = (*key, *mistake.key) if isinstance(mistake, Misfit) else key
            return self.error(where, f"{name}: {found}" if key else found, expected or "a value that fits")
        if first["type"] == "string_type" and isinstance(first["input"], bool):
            expected = "text; YAML reads yes, no, on and off as true and false unless they are quoted"
            return self.error(key, f"{str(first['input']).lower()} in {key[0]}", expected)
        expected = "a mapping, such as {required: true} or {}" if first["type"] in ("model_type", "dict_type") else first["msg"].lower()
        return self.error(key, f"{name} is {first['input']!r}", expected)


def _composed(text: str) -> yaml.Node | None:
    # By the parser in C, which takes a tenth of the time, where there is one; its errors say less.
    try:
        return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)


def _kind(root: yaml.Node | None) -> str:
    if root is None:
        return "an empty file"
    return "a list" if isinstance(root, yaml.SequenceNode) else "a single value"


def _walk(path: Path, node: yaml.Node, key: _Key, lines: dict[_Key, int], around: tuple[yaml.Node, ...]) -> None:
    lines.setdefault(key, node.start_mark.line + 1)
    if node in around:
        raise ContractError(path, node.start_mark.line + 1, "an alias inside what it stands for", "values that end")
    around = (*around, node)
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            line = name.start_mark.line + 1
            if not isinstance(name, yaml.ScalarNode):
                raise ContractError(path, line, "a list or a mapping as a name", "a plain name")
            inner = (*key, name.value)
            if inner in lines:
                raise ContractError(path, line, f"{name.value} a second time", f"each name once (first on line {lines[inner]})")
            lines[inner] = line
            _walk(path, value, inner, lines, around)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(path, value, (*key, index), lines, around)
