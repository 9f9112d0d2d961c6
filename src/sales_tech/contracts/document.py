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


@dataclass(frozen=True)
class Document:
    """One YAML file: its mapping, and the 1-based line of every key and item in it."""

    path: Path
    data: dict[str, Any]
    lines: dict[_Key, int]

    @classmethod
    def load(cls, path: Path) -> Document:
        """Read a YAML mapping; ContractError on bad syntax, a repeated key or anything but a mapping."""
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ContractError(path, None, f"bytes that are not UTF-8 ({error.reason})", "a YAML file in UTF-8") from error
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            lines: dict[_Key, int] = {}
            if root is not None:
                _walk(path, root, (), lines)
            data = loader.construct_document(root) if root is not None else None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else None
            raise ContractError(path, line, error.problem or "text that is not YAML", "valid YAML") from error
        finally:
            loader.dispose()
        if not isinstance(data, dict):
            raise ContractError(path, 1, f"a {type(data).__name__}", "a YAML mapping of names to values")
        return cls(path, data, lines)

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
        try:
            return model.model_validate({**self.data, **extra})
        except ValidationError as error:
            raise self._translate(error) from error

    def _translate(self, error: ValidationError) -> ContractError:
        first = error.errors()[0]
        key = tuple(first["loc"])
        name = ".".join(str(part) for part in key) or "the file"
        if first["type"] == "missing":
            return self.error(key[:-1], f"no {name}", f"a value for {key[-1]}")
        if first["type"] == "extra_forbidden":
            return self.error(key, f"unknown setting {name}", "a setting named in docs/packs.md")
        if first["type"] == "value_error":
            found, _, expected = str(first["ctx"]["error"]).partition("; expected ")
            return self.error(key, f"{name}: {found}", expected or "a value that fits")
        return self.error(key, f"{name} is {first['input']!r}", first["msg"].lower())


def _walk(path: Path, node: yaml.Node, key: _Key, lines: dict[_Key, int]) -> None:
    lines.setdefault(key, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            inner = (*key, name.value)
            line = name.start_mark.line + 1
            if inner in lines:
                raise ContractError(path, line, f"{name.value} a second time", f"each name once (first on line {lines[inner]})")
            lines[inner] = line
            _walk(path, value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(path, value, (*key, index), lines)
