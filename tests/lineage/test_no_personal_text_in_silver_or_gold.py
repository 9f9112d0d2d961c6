"""A night over lines with a person in them: the person stands in bronze, and nowhere past it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import HASH_KEY, night, read

from sales_tech.settings import Settings

CPF, NAME, EMAIL = "987.654.321-00", "Zuleika Xavantina", "zuleika.xavantina@correio.example"
PERSON = {"cpf": CPF, "nome": NAME, "email": EMAIL}
TRACES = ("987.654.321", "98765432100", "zuleika", "xavantina", "correio.example")


def texts(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """Every text in the Parquet files below a folder."""
    for path in sorted(folder.rglob("*.parquet")):
        table = pq.ParquetFile(path).read()
        for name in table.column_names:
            if pa.types.is_string(table.schema.field(name).type) or pa.types.is_large_string(table.schema.field(name).type):
                for text in pc.unique(table.column(name)).to_pylist():
                    if text is not None:
                        yield path, name, text


def traces(folder: Path) -> set[str]:
    return {trace for _, _, text in texts(folder) for trace in TRACES if trace in text.lower()}


def land_a_person(settings: Settings) -> None:
    land_reference(settings.landing, "A")
    land_erp(
        settings.landing,
        "vendas_2026-01",
        sale("P1", **PERSON),
        sale("P2", **{**PERSON, "cpf": f"  {CPF}\t", "nome": NAME.upper(), "email": f" {EMAIL.upper()}"}),
        sale("P3", quantidade="two", **PERSON),  # rejected, as JSON
        sale("P4", sku="unknown", **PERSON),  # waits
        sale("P1", situacao="CANCELADO", atualizado_em="11/01/2026 10:00:00", **PERSON),
        f"P5;1;10/01/2026 10:00:00;L1;Loja;A;{CPF};{NAME};{EMAIL};1",  # cut short
        f"P6;1;10/01/2026 10:00:00;L1;Loja;A;{CPF};{NAME};{EMAIL};1;10,00;0,00;0,00;;FATURADO;10/01/2026 10:00:00;{EMAIL}",
        f'P7;1;10/01/2026 10:00:00;L1;Loja;A;{CPF};"{NAME};{EMAIL};1;10,00;0,00;0,00;;FATURADO;10/01/2026 10:00:00',  # a quote stays open
        f"{CPF};{NAME}",
    )


def test_a_person_stands_in_bronze_and_nowhere_past_it(erp: Settings) -> None:
    land_a_person(erp)
    night(erp)
    assert len(read(erp, "silver.sales")) == 2
    assert len(read(erp, "silver.rejects")) == 6
    tables = erp.lake / "tables"
    assert traces(tables / "bronze") == {"987.654.321", "zuleika", "xavantina", "correio.example"}
    for layer in ("silver", "gold"):
        assert list(texts(tables / layer)), layer
        assert traces(tables / layer) == set(), layer


def test_a_file_with_columns_that_its_contract_does_not_know(erp: Settings) -> None:
    land_a_person(erp)
    path = erp.landing / "erp_br" / "vendas_2026-01.csv"
    lines = path.read_bytes().decode("latin-1").splitlines()
    wider = [f"{lines[0]};Contato", *(f"{line};{EMAIL}" for line in lines[1:])]
    path.write_bytes("\n".join(wider).encode("latin-1"))
    night(erp)
    assert any(row["_extra"] and EMAIL in row["_extra"] for row in read(erp, "bronze.erp_br_vendas"))
    assert traces(erp.lake / "tables" / "silver") | traces(erp.lake / "tables" / "gold") == set()


def test_the_customers_key_is_the_hash_of_the_cpf(erp: Settings) -> None:
    land_a_person(erp)
    night(erp)
    expected = hmac.new(HASH_KEY.encode(), CPF.encode(), hashlib.sha256).hexdigest()[:32]
    assert {row["customer_key"] for row in read(erp, "silver.sales")} == {expected}
    split = [row["row"] for row in read(erp, "silver.rejects") if str(row["row"]).startswith("{")]
    assert len(split) == 2
    assert all(expected in row for row in split)


def test_nothing_else_in_the_lake_holds_the_person(erp: Settings) -> None:
    # The archive holds the file itself, bronze its rows; results, ledgers and scratch files hold neither.
    land_a_person(erp)
    night(erp)
    allowed = (erp.lake / "archive", erp.lake / "tables" / "bronze")
    for path in sorted(erp.lake.rglob("*")):
        if path.is_file() and not any(path.is_relative_to(folder) for folder in allowed):
            content = path.read_bytes().lower()
            assert not any(trace.encode() in content for trace in TRACES), path
