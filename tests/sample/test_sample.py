from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sales_tech.contracts.pack import load_pack
from sales_tech.errors import SettingsError
from sales_tech.sample import PlantedDirt, SampleSummary, write_sample
from sales_tech.sample.promotions import black_friday, second_sunday

PACK = load_pack(Path(__file__).parents[2] / "sources" / "erp_br")
SALES = PACK.files["vendas"]
Row = dict[str, str]


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleSummary]:
    landing = tmp_path_factory.mktemp("dirty")
    return landing, write_sample(landing, months=3, lines_per_day=40, skus=60)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleSummary]:
    landing = tmp_path_factory.mktemp("clean")
    return landing, write_sample(landing, months=3, lines_per_day=40, skus=60, dirt=False)


def records(path: Path) -> list[list[str]]:
    with path.open(encoding="latin-1", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def rows(landing: Path, kind: str) -> Iterator[Row]:
    """Complete data rows of all files of a kind, under the column names of the pack."""
    contract = PACK.files[kind]
    for path in sorted(landing.glob(contract.glob)):
        header, *body = records(path)
        names = {text: name for name, text in contract.headers.items()}
        for record in body:
            if len(record) == len(header) and record != header:
                yield {names[text]: value for text, value in zip(header, record, strict=True)}


def moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%d/%m/%Y %H:%M:%S")
    except ValueError:
        return None


def day(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").date()


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def digest(landing: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (landing / "erp_br").iterdir()}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_sample(tmp_path / folder, seed=3, months=2, lines_per_day=20)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_another_seed_gives_other_sales(tmp_path: Path) -> None:
    for seed in (3, 4):
        write_sample(tmp_path / str(seed), seed=seed, months=1, lines_per_day=20)
    assert digest(tmp_path / "3")["vendas_2026-06.csv"] != digest(tmp_path / "4")["vendas_2026-06.csv"]


def test_every_file_is_one_that_the_pack_expects(dirty: tuple[Path, SampleSummary]) -> None:
    landing, summary = dirty
    assert set(summary.files) == set((landing / "erp_br").iterdir())
    assert set(summary.files) == {path for contract in PACK.files.values() for path in landing.glob(contract.glob)}


@pytest.mark.parametrize("kind", sorted(PACK.files))
def test_files_have_the_headers_encoding_and_line_ends_of_the_pack(dirty: tuple[Path, SampleSummary], kind: str) -> None:
    contract = PACK.files[kind]
    paths = list(dirty[0].glob(contract.glob))
    assert paths
    for path in paths:
        assert records(path)[0] == list(contract.headers.values())
        assert b"\r" not in path.read_bytes()
        with pytest.raises(UnicodeDecodeError):
            path.read_bytes().decode("utf-8")


def test_the_dirt_in_the_summary_is_what_stands_in_the_files(dirty: tuple[Path, SampleSummary]) -> None:
    landing, summary = dirty
    found: Counter[str] = Counter()
    lines = 0
    versions: dict[tuple[str, str], list[tuple[str, Row]]] = defaultdict(list)
    skus = {row["sku"] for row in rows(landing, "produtos")}
    for path in sorted(landing.glob(SALES.glob)):
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


def test_the_truncated_line_is_the_last_of_its_file_and_has_no_line_end(dirty: tuple[Path, SampleSummary]) -> None:
    open_ended = [path for path in dirty[0].glob(SALES.glob) if not path.read_bytes().endswith(b"\n")]
    assert len(open_ended) == 1
    assert 1 < len(records(open_ended[0])[-1]) < len(SALES.columns)


def test_the_counts_of_lines_are_those_of_the_files(clean: tuple[Path, SampleSummary]) -> None:
    landing, summary = clean
    counted = [sum(1 for _ in rows(landing, kind)) for kind in ("vendas", "produtos", "lojas", "promocoes")]
    assert counted == [summary.sales_lines, summary.product_lines, summary.store_lines, summary.promotion_lines]
    assert summary.dirt == PlantedDirt()


def test_without_dirt_every_line_can_be_read_and_none_is_repeated(clean: tuple[Path, SampleSummary]) -> None:
    landing, summary = clean
    keys, skus = set(), {row["sku"] for row in rows(landing, "produtos")}
    for path in landing.glob(SALES.glob):
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


def test_dirt_leaves_all_other_lines_as_they_were(clean: tuple[Path, SampleSummary], dirty: tuple[Path, SampleSummary]) -> None:
    before = {tuple(row.values()) for row in rows(clean[0], "vendas")}
    after = {tuple(row.values()) for row in rows(dirty[0], "vendas")}
    planted = dirty[1].dirt
    spoilt = (
        planted.negative_quantities + planted.unknown_skus + planted.impossible_dates + planted.text_quantities + planted.truncated_lines
    )
    assert len(before - after) == spoilt


def test_a_line_costs_the_list_price_of_its_day_and_saves_what_its_promotion_says(clean: tuple[Path, SampleSummary]) -> None:
    landing, _ = clean
    prices: dict[str, list[tuple[date, str]]] = defaultdict(list)
    for row in rows(landing, "produtos"):
        prices[row["sku"]].append((day(row["vigente_desde"]), row["preco"]))
        assert Decimal("0.59") < number(row["custo"]) / number(row["preco"]) < Decimal("0.86")
    promotions = {(row["codigo"], row["sku"]): row for row in rows(landing, "promocoes")}
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


def test_a_return_takes_back_a_line_sold_earlier_with_its_discount(clean: tuple[Path, SampleSummary]) -> None:
    sales: dict[tuple[str, ...], list[datetime]] = defaultdict(list)
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


def test_shops_sell_only_once_they_are_open_and_the_web_shop_sells_online(clean: tuple[Path, SampleSummary]) -> None:
    places = {row["loja"]: row for row in rows(clean[0], "lojas")}
    for row in rows(clean[0], "vendas"):
        assert row["canal"] == places[row["loja"]]["canal"]
        assert (row["canal"] == "online") == (row["loja"] == "WEB01")
        assert day(places[row["loja"]]["aberta_em"]) <= moment(row["data_venda"]).date()
    assert len({place["regiao"] for place in places.values()}) == 5


def test_a_product_sells_from_its_launch_on(tmp_path: Path) -> None:
    write_sample(tmp_path, months=7, lines_per_day=60, skus=80, dirt=False)
    launched: dict[str, date] = {}
    for row in rows(tmp_path, "produtos"):
        since = day(row["vigente_desde"])
        launched[row["sku"]] = min(since, launched.get(row["sku"], since))
    assert {date(2025, 12, 1), date(2026, 1, 1), date(2026, 4, 1)} == set(launched.values())
    assert all(launched[row["sku"]] <= moment(row["data_venda"]).date() for row in rows(tmp_path, "vendas"))


def test_promotions_lift_units(tmp_path: Path) -> None:
    write_sample(tmp_path, months=2, last_month=date(2025, 11, 1), lines_per_day=250, skus=100, dirt=False)
    promoted = {row["sku"] for row in rows(tmp_path, "promocoes") if row["codigo"] == "BF2025"}
    week = date(2025, 11, 24)
    units: Counter[tuple[bool, bool]] = Counter()
    for row in rows(tmp_path, "vendas"):
        sold = moment(row["data_venda"]).date()
        # Same weekdays in both weeks, which lie in the same month.
        if row["situacao"] == "FATURADO" and week - timedelta(days=7) <= sold <= week + timedelta(days=6):
            units[row["sku"] in promoted, sold >= week] += int(row["quantidade"])
    assert units[True, True] > 1.5 * units[True, False]
    assert units[False, True] < 1.4 * units[False, False]


def test_promotions_are_planned_beyond_the_last_sale(clean: tuple[Path, SampleSummary]) -> None:
    starts = [day(row["inicio"]) for row in rows(clean[0], "promocoes")]
    assert min(starts) >= date(2026, 4, 1)
    assert date(2026, 6, 30) < max(starts) <= date(2026, 9, 30)


def test_no_cpf_has_valid_check_digits(clean: tuple[Path, SampleSummary]) -> None:
    numbers = {row["cpf"] for row in rows(clean[0], "vendas")} - {""}
    assert len(numbers) > 100
    for text in numbers:
        assert re.fullmatch(r"\d{3}\.\d{3}\.\d{3}-\d{2}", text)
        digits = [int(digit) for digit in text if digit.isdigit()]
        rest = sum(digit * weight for digit, weight in zip(digits[:10], range(11, 1, -1), strict=True)) % 11
        assert digits[10] != (0 if rest < 2 else 11 - rest)


def test_customers_come_back_and_write_from_a_domain_nobody_owns(dirty: tuple[Path, SampleSummary]) -> None:
    orders = defaultdict(set)
    for row in rows(dirty[0], "vendas"):
        orders[row["email"]].add(row["pedido"])
        assert bool(row["cpf"]) == bool(row["nome"]) == bool(row["email"])
        assert not row["email"] or re.fullmatch(r"[a-z]+\.[a-z]+\d+@example\.com", row["email"])
    assert "" in orders
    assert max(len(made) for email, made in orders.items() if email) > 1


def test_one_month_is_enough(tmp_path: Path) -> None:
    summary = write_sample(tmp_path, months=1, lines_per_day=20)
    assert summary.dirt.corrections == 0
    assert summary.dirt.truncated_lines == 1


def test_less_than_one_month_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="months is 0; expected at least 1"):
        write_sample(tmp_path, months=0)


@pytest.mark.parametrize(("year", "mothers", "friday"), [(2025, 11, 28), (2026, 10, 27), (2027, 9, 26)])
def test_the_movable_days_fall_where_the_calendar_says(year: int, mothers: int, friday: int) -> None:
    assert second_sunday(year, 5) == date(year, 5, mothers)
    assert black_friday(year) == date(year, 11, friday)


def test_the_stream_tells_of_the_last_weeks_and_of_orders_that_no_export_knows(dirty: tuple[Path, SampleSummary]) -> None:
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
