"""The files hold the units that were drawn, no more and no fewer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.twin.files import day, moment, rows, units
from tests.twin.retailers import SMALL, demand_of

from sales_tech.twin import write_twin
from sales_tech.twin.scenario import UNITS_PER_LINE


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    landing = tmp_path_factory.mktemp("clean")
    write_twin(landing, size=SMALL, dirt=False)
    return landing


@pytest.fixture(scope="module")
def drawn() -> Counter[tuple[str, str, str]]:
    """Units by SKU, store and day, straight from the demand."""
    demand = demand_of()
    retailer = demand.retailer
    skus, stores = retailer.catalogue.products["sku"].tolist(), retailer.stores["store_id"].tolist()
    found: Counter[tuple[str, str, str]] = Counter()
    for first, stop in demand.windows():
        sold = demand.sales(first, stop)[1]
        for sku, store, at in zip(*sold.nonzero(), strict=True):
            found[skus[sku], stores[store], str(retailer.history.days[first + at])] += int(sold[sku, store, at])
    return found


def test_net_units_of_each_sku_and_store_are_those_drawn(clean: Path, drawn: Counter[tuple[str, str, str]]) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for (sku, store, _), count in drawn.items():
        expected[sku, store] += count
    assert sum(expected.values()) > 5_000
    assert {key: count for key, count in units(clean).items() if count} == expected


def test_what_is_sold_on_a_day_beyond_the_drawn_units_comes_back_later(clean: Path, drawn: Counter[tuple[str, str, str]]) -> None:
    beyond: Counter[tuple[str, str]] = Counter()
    back: Counter[tuple[str, str]] = Counter()
    sold: Counter[tuple[str, str, str]] = Counter()
    for row in rows(clean, "vendas"):
        if row["situacao"] == "FATURADO":
            sold[row["sku"], row["loja"], str(moment(row["data_venda"]).date())] += int(row["quantidade"])
        elif row["situacao"] == "DEVOLVIDO":
            back[row["sku"], row["loja"]] -= int(row["quantidade"])
    for key in sold.keys() | drawn.keys():
        assert sold[key] >= drawn[key]
        beyond[key[0], key[1]] += sold[key] - drawn[key]
    assert sum(back.values()) > 20
    assert +beyond == back


def test_most_lines_hold_one_unit_and_some_more(clean: Path) -> None:
    lines = [row for row in rows(clean, "vendas") if row["situacao"] == "FATURADO"]
    quantities = Counter(int(row["quantidade"]) for row in lines)
    assert min(quantities) == 1
    assert max(quantities) > 2
    assert sum(count * size for size, count in quantities.items()) / len(lines) == pytest.approx(UNITS_PER_LINE, abs=0.06)


def test_orders_hold_one_store_and_moment_and_often_several_lines(clean: Path) -> None:
    orders: dict[str, set[tuple[str, str, str, str]]] = {}
    lines: Counter[str] = Counter()
    for row in rows(clean, "vendas"):
        orders.setdefault(row["pedido"], set()).add((row["loja"], row["data_venda"], row["cpf"], row["situacao"]))
        lines[row["pedido"]] += 1
    assert all(len(facts) == 1 for facts in orders.values())
    assert 0.1 < sum(count > 1 for count in lines.values()) / len(lines) < 0.5
    cancelled = sum(situation == "CANCELADO" for facts in orders.values() for *_, situation in facts)
    assert 0.005 < cancelled / len(orders) < 0.03


def test_a_promotion_stands_on_every_line_that_it_covers(clean: Path) -> None:
    covered = {
        (row["sku"], store["loja"], at)
        for row in rows(clean, "promocoes")
        for store in rows(clean, "lojas")
        if row["canal"] in ("", store["canal"]) and row["regiao"] in ("", store["regiao"])
        for at in range(day(row["inicio"]).toordinal(), day(row["fim"]).toordinal() + 1)
    }
    promoted = 0
    for row in rows(clean, "vendas"):
        if row["situacao"] != "DEVOLVIDO":
            assert bool(row["promocao"]) == ((row["sku"], row["loja"], moment(row["data_venda"]).date().toordinal()) in covered)
            promoted += bool(row["promocao"])
    assert promoted > 100


@pytest.mark.parametrize(("difficulty", "lines"), [("default", 10_000), ("hard", 60_000)])
def test_the_size_gives_about_the_lines_asked_for(tmp_path: Path, difficulty: str, lines: int) -> None:
    assert write_twin(tmp_path, lines=lines, difficulty=difficulty).sales_lines == pytest.approx(lines, rel=0.25)
