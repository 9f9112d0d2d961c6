"""The files are what the pack expects, hold what was sold, and hold no other dirt than the summary tells."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.twin.files import KINDS, PACK, Row, contents, day, moment, number, paths, records, rows

from sales_tech.errors import SettingsError
from sales_tech.twin import PlantedDirt, Size, TwinSummary, write_twin
from sales_tech.twin.dates import black_friday, nth_weekday

SALES = PACK.files["vendas"]
SMALL = Size(stores=6, skus=36, months=3, promotions=12)
TINY = Size(stores=3, skus=20, months=1, promotions=3)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TwinSummary]:
    landing = tmp_path_factory.mktemp("dirty")
    return landing, write_twin(landing, size=SMALL)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TwinSummary]:
    landing = tmp_path_factory.mktemp("clean")
    return landing, write_twin(landing, size=SMALL, dirt=False)


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sales_tech.twin.demand.CELLS_AT_ONCE", 400)
    for workers in (1, 3):
        write_twin(tmp_path / str(workers), seed=3, size=TINY, workers=workers)
    assert contents(tmp_path / "1") == contents(tmp_path / "3")


def test_another_seed_gives_other_sales(tmp_path: Path) -> None:
    for seed in (3, 4):
        write_twin(tmp_path / str(seed), seed=seed, size=TINY)
    assert contents(tmp_path / "3")["vendas_2026-06.csv"] != contents(tmp_path / "4")["vendas_2026-06.csv"]


def test_every_file_is_of_a_kind_and_told(dirty: tuple[Path, TwinSummary]) -> None:
    landing, summary = dirty
    assert set(summary.files) == set((landing / "erp_br").iterdir())
    assert set(summary.files) == {path for kind in KINDS for path in paths(landing, kind)}
    for kind, contract in PACK.files.items():
        assert set(landing.glob(contract.glob)) == set(paths(landing, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_files_have_the_headers_encoding_and_line_ends_of_the_pack(dirty: tuple[Path, TwinSummary], kind: str) -> None:
    assert paths(dirty[0], kind)
    for path in paths(dirty[0], kind):
        header = records(path)[0]
        if kind in PACK.files:
            contract = PACK.files[kind]
            needed = [text for name, (text,) in contract.headers.items() if text in header or not contract.columns[name].optional]
            assert [text for text in header if (text,) in contract.headers.values()] == needed
        assert b"\r" not in path.read_bytes()
        with pytest.raises(UnicodeDecodeError):
            path.read_bytes().decode("utf-8")


def test_the_calendar_of_promotions_tells_where_they_run_and_whether_they_are_on_show(clean: tuple[Path, TwinSummary]) -> None:
    (header, *_) = records(paths(clean[0], "promocoes")[0])
    assert ";".join(header) == "Código;Nome;Mecânica;SKU;Desconto %;Início;Fim;Canal;Região;Exposição;Investimento"
    regions = {row["regiao"] for row in rows(clean[0], "lojas")}
    for row in rows(clean[0], "promocoes"):
        assert row["exposicao"] in ("S", "N")
        assert row["canal"] in ("", "loja", "online")
        assert row["regiao"] in {"", "Sudeste", "Sul", "Nordeste", "Centro-Oeste", "Norte"}
    assert regions <= {"Sudeste", "Sul", "Nordeste", "Centro-Oeste", "Norte"}


def test_the_dirt_in_the_summary_is_what_stands_in_the_files(dirty: tuple[Path, TwinSummary]) -> None:
    landing, summary = dirty
    found: Counter[str] = Counter()
    lines = 0
    versions: dict[tuple[str, str], list[tuple[str, Row]]] = defaultdict(list)
    skus = {row["sku"] for row in rows(landing, "produtos")}
    for path in paths(landing, "vendas"):
        header, *body = records(path)
        lines += sum(bool(record) and record != header for record in body)
        found["blank_lines"] += sum(not record for record in body)
        found["repeated_headers"] += sum(record == header for record in body)
        found["truncated_lines"] += sum(0 < len(record) < len(header) for record in body)
        seen: set[tuple[str, ...]] = set()
        for record in body:
            if len(record) != len(header) or record == header:
                continue
            row = dict(zip(SALES.columns, record, strict=True))
            found["duplicates"] += tuple(record) in seen
            if tuple(record) not in seen:
                versions[row["pedido"], row["item"]].append((path.name, row))
            seen.add(tuple(record))
            found["unknown_skus"] += row["sku"] not in skus
            found["impossible_dates"] += moment(row["data_venda"]) is None
            found["text_quantities"] += re.fullmatch(r"-?\d+", row["quantidade"]) is None
            found["negative_quantities"] += row["situacao"] == "FATURADO" and row["quantidade"].startswith("-")
    for (first_file, first), *later in versions.values():
        for file, row in later:
            assert moment(row["atualizado_em"]) > moment(first["atualizado_em"])
            if row["situacao"] == "CANCELADO":
                found["cancellations"] += 1
            else:
                found["corrections"] += 1
                assert file > first_file
                assert (row["quantidade"], row["preco"]) != (first["quantidade"], first["preco"])
    found["quoted_names"] = sum('"' in row["descricao"] or ";" in row["descricao"] for row in rows(landing, "produtos"))
    assert PlantedDirt(**found) == summary.dirt
    assert all(found.values())
    assert lines == summary.sales_lines


def test_the_truncated_line_is_the_last_of_its_file_and_has_no_line_end(dirty: tuple[Path, TwinSummary]) -> None:
    open_ended = [path for path in paths(dirty[0], "vendas") if not path.read_bytes().endswith(b"\n")]
    assert len(open_ended) == 1
    assert 1 < len(records(open_ended[0])[-1]) < len(SALES.columns)


def test_the_counts_of_lines_are_those_of_the_files(clean: tuple[Path, TwinSummary]) -> None:
    landing, summary = clean
    counted = [sum(1 for _ in rows(landing, kind)) for kind in KINDS]
    told = [summary.sales_lines, summary.product_lines, summary.store_lines, summary.promotion_lines, summary.stockout_lines]
    assert counted == told
    assert summary.dirt == PlantedDirt()


def test_without_dirt_every_line_can_be_read_and_none_is_repeated(clean: tuple[Path, TwinSummary]) -> None:
    landing, summary = clean
    keys, skus = set(), {row["sku"] for row in rows(landing, "produtos")}
    for path in paths(landing, "vendas"):
        header, *body = records(path)
        assert all(len(record) == len(header) for record in body)
        assert path.read_bytes().endswith(b"\n")
    for row in rows(landing, "vendas"):
        keys.add((row["pedido"], row["item"]))
        sold, updated = moment(row["data_venda"]), moment(row["atualizado_em"])
        assert sold is not None
        assert updated is not None
        assert sold <= updated
        assert row["sku"] in skus
        assert (int(row["quantidade"]) < 0) == (row["situacao"] == "DEVOLVIDO")
        assert number(row["preco"]) > 0
        assert number(row["frete"] or "0") >= 0
    assert len(keys) == summary.sales_lines


def test_dirt_leaves_all_other_lines_as_they_were(clean: tuple[Path, TwinSummary], dirty: tuple[Path, TwinSummary]) -> None:
    before = {tuple(row.values()) for row in rows(clean[0], "vendas")}
    after = {tuple(row.values()) for row in rows(dirty[0], "vendas")}
    planted = dirty[1].dirt
    spoilt = (
        planted.negative_quantities + planted.unknown_skus + planted.impossible_dates + planted.text_quantities + planted.truncated_lines
    )
    assert len(before - after) == spoilt


def test_a_line_costs_the_list_price_of_its_day_and_saves_what_its_promotion_says(clean: tuple[Path, TwinSummary]) -> None:
    landing, _ = clean
    prices: dict[str, list[tuple[date, str]]] = defaultdict(list)
    for row in rows(landing, "produtos"):
        prices[row["sku"]].append((day(row["vigente_desde"]), row["preco"]))
        assert Decimal("0.29") < number(row["custo"]) / number(row["preco"]) < Decimal("0.63")
    promotions = {(row["codigo"], row["sku"]): row for row in rows(landing, "promocoes")}
    regions = {row["loja"]: row["regiao"] for row in rows(landing, "lojas")}
    for row in rows(landing, "vendas"):
        if row["situacao"] == "DEVOLVIDO":
            continue
        sold = moment(row["data_venda"]).date()
        assert row["preco"] == max(entry for entry in prices[row["sku"]] if entry[0] <= sold)[1]
        offer = promotions[row["promocao"], row["sku"]] if row["promocao"] else {"desconto_pct": "0"}
        gross = number(row["preco"]) * int(row["quantidade"])
        assert abs(number(row["desconto"]) - gross * number(offer["desconto_pct"]) / 100) <= Decimal("0.005")
        if row["promocao"]:
            assert day(offer["inicio"]) <= sold <= day(offer["fim"])
            assert offer["canal"] in ("", row["canal"])
            assert offer["regiao"] in ("", regions[row["loja"]])


def test_a_return_takes_back_a_line_sold_earlier_with_its_discount(clean: tuple[Path, TwinSummary]) -> None:
    sales: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    returned = []
    for row in rows(clean[0], "vendas"):
        amounts = (abs(int(row["quantidade"])), row["preco"], row["desconto"].removeprefix("-"))
        fact = (row["sku"], row["loja"], row["cpf"], row["promocao"], *map(str, amounts))
        if row["situacao"] == "FATURADO":
            sales[fact].append(moment(row["data_venda"]))
        elif row["situacao"] == "DEVOLVIDO":
            returned.append((fact, moment(row["data_venda"])))
            assert number(row["desconto"]) <= 0
    assert returned
    assert all(min(sales[fact]) < back for fact, back in returned)


def test_shops_sell_only_once_they_are_open_and_each_in_its_channel(clean: tuple[Path, TwinSummary]) -> None:
    places = {row["loja"]: row for row in rows(clean[0], "lojas")}
    for row in rows(clean[0], "vendas"):
        assert row["canal"] == places[row["loja"]]["canal"]
        assert (row["canal"] == "online") == row["loja"].startswith("WEB")
        assert day(places[row["loja"]]["aberta_em"]) <= moment(row["data_venda"]).date()


def test_a_product_sells_from_its_launch_on(tmp_path: Path) -> None:
    write_twin(tmp_path, size=Size(stores=3, skus=60, months=8, promotions=12), dirt=False)
    launched: dict[str, date] = {}
    for row in rows(tmp_path, "produtos"):
        since = day(row["vigente_desde"])
        launched[row["sku"]] = min(since, launched.get(row["sku"], since))
    assert len(set(launched.values())) > 3
    assert all(launched[row["sku"]] <= moment(row["data_venda"]).date() for row in rows(tmp_path, "vendas"))


def test_orders_are_numbered_by_the_time_of_sale(clean: tuple[Path, TwinSummary]) -> None:
    sold = {row["pedido"]: moment(row["data_venda"]) for row in rows(clean[0], "vendas") if row["situacao"] != "DEVOLVIDO"}
    assert [sold[number] for number in sorted(sold)] == sorted(sold.values())


def test_nothing_is_sold_where_the_shelf_is_empty(clean: tuple[Path, TwinSummary]) -> None:
    out = [(row["loja"], row["sku"], day(row["inicio"]), day(row["fim"])) for row in rows(clean[0], "rupturas")]
    assert out
    assert all(first <= last and first.month == last.month for _, _, first, last in out)
    empty = {(store, sku, date.fromordinal(at)) for store, sku, first, last in out for at in range(first.toordinal(), last.toordinal() + 1)}
    assert len(empty) == sum((last - first).days + 1 for _, _, first, last in out), "intervals of a SKU and store do not overlap"
    sold = {
        (row["loja"], row["sku"], moment(row["data_venda"]).date()) for row in rows(clean[0], "vendas") if row["situacao"] != "DEVOLVIDO"
    }
    assert not sold & empty


def test_a_retailer_that_does_not_count_stock_writes_no_file_of_stockouts(tmp_path: Path) -> None:
    assert write_twin(tmp_path, size=TINY, difficulty="hard").stockout_lines == 0
    assert paths(tmp_path, "rupturas") == []


def test_promotions_are_planned_beyond_the_last_sale(clean: tuple[Path, TwinSummary]) -> None:
    starts = [day(row["inicio"]) for row in rows(clean[0], "promocoes")]
    assert min(starts) >= date(2026, 4, 1)
    assert date(2026, 6, 30) < max(starts) <= date(2026, 9, 30)


def test_no_cpf_has_valid_check_digits(clean: tuple[Path, TwinSummary]) -> None:
    numbers = {row["cpf"] for row in rows(clean[0], "vendas")} - {""}
    assert len(numbers) > 100
    for text in numbers:
        assert re.fullmatch(r"\d{3}\.\d{3}\.\d{3}-\d{2}", text)
        digits = [int(digit) for digit in text if digit.isdigit()]
        rest = sum(digit * weight for digit, weight in zip(digits[:10], range(11, 1, -1), strict=True)) % 11
        assert digits[10] != (0 if rest < 2 else 11 - rest)


def test_customers_come_back_and_write_from_a_domain_nobody_owns(dirty: tuple[Path, TwinSummary]) -> None:
    orders = defaultdict(set)
    for row in rows(dirty[0], "vendas"):
        orders[row["email"]].add(row["pedido"])
        assert bool(row["cpf"]) == bool(row["nome"]) == bool(row["email"])
        assert not row["email"] or re.fullmatch(r"[a-z]+\.[a-z]+\d+@example\.com", row["email"])
    assert "" in orders
    assert max(len(made) for email, made in orders.items() if email) > 1


def test_one_month_is_enough(tmp_path: Path) -> None:
    summary = write_twin(tmp_path, size=TINY)
    assert summary.dirt.corrections == 0
    assert summary.dirt.truncated_lines == 1


def test_less_than_one_month_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="months is 0; expected at least 1"):
        write_twin(tmp_path, size=Size(stores=3, skus=20, months=0, promotions=3))


@pytest.mark.parametrize("lines", [9_999, 100_000_001])
def test_a_size_that_was_never_tried_is_refused(tmp_path: Path, lines: int) -> None:
    with pytest.raises(SettingsError, match=f"lines is {lines}; expected 10000 to 100000000"):
        write_twin(tmp_path, lines=lines)


def test_an_unknown_difficulty_is_told_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no difficulty easy; expected default, hard, shock"):
        write_twin(tmp_path, difficulty="easy")


@pytest.mark.parametrize(("year", "mothers", "friday"), [(2025, 11, 28), (2026, 10, 27), (2027, 9, 26)])
def test_the_movable_days_fall_where_the_calendar_says(year: int, mothers: int, friday: int) -> None:
    assert nth_weekday(year, 5, 6, 2) == date(year, 5, mothers)
    assert black_friday(year) == date(year, 11, friday)


def test_the_stream_tells_of_the_last_weeks_and_of_orders_that_no_export_knows(dirty: tuple[Path, TwinSummary]) -> None:
    landing, summary = dirty
    texts = summary.stream.path.read_text(encoding="utf-8").splitlines()
    assert len(texts) == summary.stream.events + summary.stream.doubled + summary.stream.spoilt
    events = [json.loads(text) for text in texts if text.startswith("{") and text.endswith("}}")]
    placed = {event["order"]["order_id"] for event in events if event["event_type"] == "order_placed"}
    exported = {
        line.partition(";")[0] for path in landing.glob("erp_br/vendas_*.csv") for line in path.read_text(encoding="latin-1").splitlines()
    }
    assert placed & exported
    assert placed - exported
    assert {event["event_type"] for event in events} >= {"order_placed", "order_cancelled", "item_returned"}
