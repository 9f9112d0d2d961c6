"""A small pack, of which each test spoils one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sales_tech.contracts.pack import load_pack
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import ContractError, ContractErrors
from sales_tech.transform.mapping import BoundMapping, check_pack

YAML = """\
description: Lines
glob: shop/vendas_*.csv
key: [pedido, item]
timezone: America/Sao_Paulo
columns:
  pedido: {required: true}
  item: {type: integer}
  quando: {type: timestamp, format: "%d/%m/%Y %H:%M"}
  loja: {header: Loja}
  sku: {description: The article}
  quantidade: {type: integer}
  preco: {type: "decimal(18,2)"}
"""
SALES = """\
-- One row per line.
select
    v.pedido as order_id,
    cast(v.item as varchar) as line,
    v.quando as sold_at,
    v.quando_local_date as sold_on,
    v.loja as store_id,
    v.sku,
    v.quantidade as quantity,
    v.preco as unit_price,
    'BRL' as currency,
    'sold' as status
from vendas as v
"""


class Draft:
    """A pack in the making: its texts may be changed, then it is read and checked."""

    def __init__(self, folder: Path, engine: DuckEngine) -> None:
        self.folder, self._engine = folder, engine
        self.texts = {"vendas.yaml": YAML, "sales.sql": SALES}

    def change(self, file: str, old: str, new: str) -> Draft:
        assert self.texts[file].count(old) == 1, f"{old!r} does not stand once in {file}"
        self.texts[file] = self.texts[file].replace(old, new)
        return self

    def write(self) -> Path:
        self.folder.mkdir(exist_ok=True)
        for name, text in self.texts.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        return self.folder

    def check(self) -> dict[str, BoundMapping]:
        return check_pack(load_pack(self.write()), self._engine)

    def mistake(self) -> tuple[str, int | None, str, str]:
        """The file, line, found and expected of the ContractError that the check ends in; all stand in its text."""
        with pytest.raises(ContractError) as caught:
            self.check()
        error = caught.value
        where = f"{error.path}:{error.line}" if error.line else str(error.path)
        assert str(error) == f"{where}: {error.found}; expected {error.expected}"
        assert error.path.is_relative_to(self.folder)
        told = error.path.name, error.line, error.found, error.expected
        # pydantic keeps the frames of its validators, unseen by the garbage collector, and this one with its engine.
        del caught, error
        return told

    def mistakes(self) -> list[tuple[str, int | None, str]]:
        """The file, line and found of each of the ContractErrors that the check ends in, a line of its text each."""
        with pytest.raises(ContractErrors) as caught:
            self.check()
        several = caught.value
        assert str(several).splitlines() == list(map(str, several.mistakes))
        told = [(one.path.name, one.line, one.found) for one in several.mistakes]
        assert (several.path.name, several.line, several.found) == told[0]
        del caught, several
        return told


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    duck = DuckEngine(scratch=tmp_path_factory.mktemp("scratch"), memory_limit="200MB", threads=1, hash_key=b"k")
    yield duck
    duck.close()


@pytest.fixture
def draft(tmp_path: Path, engine: DuckEngine) -> Draft:
    return Draft(tmp_path / "shop", engine)


@pytest.fixture
def change_yaml(draft: Draft) -> Callable[[str, str], Draft]:
    return lambda old, new: draft.change("vendas.yaml", old, new)


@pytest.fixture
def change_sql(draft: Draft) -> Callable[[str, str], Draft]:
    return lambda old, new: draft.change("sales.sql", old, new)
