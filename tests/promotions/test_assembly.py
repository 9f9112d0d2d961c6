"""How the frames of a source become a panel, and what its notes say was missing or left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.promotions.sources import Row, listed, planned, sold, steady

from sales_tech.promotions import PromotionPanel, SourceFrames, assembly, build_panel

FIRST = pd.Timestamp("2026-01-01")


def panel_of(rows: list[Row] | None = None, **frames: pd.DataFrame | None) -> PromotionPanel:
    """The panel of ten days of SKUs A and B in stores 1 and 2, or of other rows."""
    given = {"daily": sold(steady(days=10) if rows is None else rows), "products": listed("A", "B")} | frames
    return build_panel(SourceFrames(**given))


def placed(**regions: str | None) -> pd.DataFrame:
    """Stores s1, s2 and so on, each in a region."""
    return pd.DataFrame(
        {
            "store_id": [name.removeprefix("s") for name in regions],
            "state": None,
            "region": list(regions.values()),
            "channel": "loja",
            "opened_on": pd.NaT,
        }
    )


def empty_shelf(store: str, sku: str, first: str, last: str) -> pd.DataFrame:
    days = {"starts_on": pd.Timestamp(first).as_unit("s"), "ends_on": pd.Timestamp(last).as_unit("s")}
    return pd.DataFrame([{"store_id": store, "sku": sku, **days}])


def told(panel: PromotionPanel, words: str) -> str:
    """The one note with these words in it."""
    (note,) = [note for note in panel.notes if words in note]
    return note


# sales


def test_units_and_money_stand_where_they_were_sold_and_skus_stand_by_category() -> None:
    rows: list[Row] = [("2026-01-01", "1", "A", 2.0), ("2026-01-03", "2", "B", 5.0)]
    products = listed("A", "B", category=["Zubehör", "Audio"])
    panel = panel_of(daily=sold(rows, paid=8.0), products=products)
    assert panel.skus.tolist() == ["B", "A"]
    assert [panel.categories[row] for row in panel.category] == ["Audio", "Zubehör"]
    assert panel.days.tolist() == [FIRST.date(), FIRST.date() + pd.Timedelta(days=1), FIRST.date() + pd.Timedelta(days=2)]
    assert {(*map(int, at), float(panel.units[tuple(at)])) for at in np.argwhere(panel.units)} == {(0, 1, 0, 2.0), (1, 0, 2, 5.0)}
    assert {(*map(int, at), float(panel.net_sales[tuple(at)])) for at in np.argwhere(panel.net_sales)} == {(0, 1, 0, 16.0), (1, 0, 2, 40.0)}


def test_a_source_without_a_sale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the source has no sale; expected rows of gold\.daily_sales"):
        panel_of(rows=[])


def test_where_more_came_back_than_was_sold_nothing_was_sold_and_that_is_said() -> None:
    rows: list[Row] = [("2026-01-01", "1", "A", 2.0), ("2026-01-02", "1", "A", -3.0), ("2026-01-03", "1", "A", 1.0)]
    panel = panel_of(rows)
    assert panel.units.tolist() == [[[2.0, 0.0, 1.0]]]
    assert panel.net_sales.tolist() == [[[20.0, 0.0, 10.0]]]
    assert told(panel, "came back") == (
        "in 1 cells of store, SKU and day more units came back than were sold: they count as none sold; give units and money before returns"
    )
    assert not any("came back" in note for note in panel_of().notes)


def test_a_sku_that_no_catalogue_knows_is_of_an_unknown_category_and_brand() -> None:
    panel = panel_of(products=listed("A"))
    about = {sku: (panel.categories[c], panel.brands[b]) for sku, c, b in zip(panel.skus, panel.category, panel.brand, strict=True)}
    assert about == {"A": ("Notebooks", "Acme"), "B": ("unknown", "unknown")}


def test_of_very_many_skus_those_with_few_sales_are_pooled_but_not_the_promoted_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "MOST_SKUS", 2)
    rows: list[Row] = [("2026-01-01", "1", sku, units) for sku, units in (("A", 9.0), ("B", 1.0), ("C", 2.0), ("D", 3.0))]
    promotion = planned("B", "2026-01-01", "2026-01-01")
    panel = panel_of(rows, products=listed("A", "B", "C", "D"), promotions=promotion)
    units = dict(zip(panel.skus.tolist(), panel.units.sum(axis=(0, 2)).tolist(), strict=True))
    assert units == {"A": 9.0, "B": 1.0, "others of Notebooks": 5.0}
    assert [panel.skus[member.sku] for member in panel.members] == ["B"]
    assert told(panel, "pooled") == "2 SKUs with few sales are pooled by category"


# prices and costs


def test_a_list_price_holds_from_its_day_on_and_the_first_one_before_it_too() -> None:
    products = pd.concat(
        [listed("A", valid_from=FIRST + pd.Timedelta(days=2)), listed("A", valid_from=FIRST + pd.Timedelta(days=4), price=12.0)]
    )
    panel = panel_of(steady(days=6, skus="A"), products=products)
    assert panel.price.tolist() == [[10.0] * 4 + [12.0] * 2]


def test_where_no_list_price_is_known_the_price_charged_stands_for_it_and_is_said() -> None:
    rows: list[Row] = [("2026-01-02", "1", "A", 2.0), ("2026-01-03", "1", "A", 0.0)]
    panel = panel_of(daily=sold(rows, price=7.0), products=listed("A", price=np.nan))
    assert panel.price.tolist() == [[7.0, 7.0]]
    assert told(panel, "list price") == "no list price is known; the price charged stands for it"


def test_where_no_cost_is_known_there_is_none_and_where_some_are_missing_that_is_said() -> None:
    none, some = panel_of(products=listed("A", "B", cost=np.nan)), panel_of(products=listed("A", "B", cost=[6.0, np.nan]))
    assert none.cost is None
    assert "no cost is known" in told(none, "cost")
    assert some.cost is not None
    assert some.cost[0].tolist() == [6.0] * 10
    assert np.isnan(some.cost[1]).all()
    assert "some SKUs have no cost" in told(some, "cost")


# what could be sold


def test_a_reported_stock_out_is_no_day_of_low_demand_but_what_was_sold_was_there() -> None:
    rows = [row for row in steady(days=10) if row[:3] not in {("2026-01-04", "1", "A"), ("2026-01-05", "1", "A")}]
    stockouts = pd.concat([empty_shelf("1", "A", "2026-01-04", "2026-01-05"), empty_shelf("2", "B", "2026-01-08", "2026-01-08")])
    panel = panel_of(rows, stockouts=stockouts)
    assert panel.stock_known
    assert [tuple(map(int, at)) for at in np.argwhere(~panel.available)] == [(0, 0, 3), (0, 0, 4)]
    assert panel.notes == []


def test_a_source_that_reports_no_stock_outs_says_so() -> None:
    panel = panel_of()
    assert not panel.stock_known
    assert "no stock-outs are reported" in told(panel, "stock-outs")


def test_stock_outs_of_stores_that_are_not_there_are_not_used_and_that_is_said() -> None:
    panel = panel_of(stockouts=empty_shelf("9", "A", "2026-01-04", "2026-01-05"))
    assert not panel.stock_known
    assert panel.available.all()
    assert "only by stores that are pooled here or sold nothing" in told(panel, "stock-outs")


def test_a_day_without_any_sale_in_a_busy_store_is_a_day_on_which_it_was_closed() -> None:
    rows = [row for row in steady(days=10, units=6.0) if (row[0], row[1]) != ("2026-01-07", "2")]
    panel = panel_of(rows)
    assert [tuple(map(int, at)) for at in np.argwhere(~panel.available)] == [(1, 0, 6), (1, 1, 6)]


def test_a_day_without_any_sale_of_small_shops_that_sell_much_together_is_no_day_without_demand_and_is_said() -> None:
    rows = [row for row in steady(days=10, stores=("1", "2", "3"), units=2.0) if row[0] != "2026-01-07"]
    panel = panel_of(rows)
    assert {int(day) for *_, day in np.argwhere(~panel.available)} == {6}
    assert not panel.available[:, :, 6].any()
    assert told(panel, "nothing at all") == (
        "nothing at all was sold on 2026-01-07: sales were lost or all shops shut, so these are no days without demand"
    )
    assert not any("nothing at all" in note for note in panel_of().notes)


def test_a_day_without_any_sale_of_a_channel_says_nothing_of_its_shops_and_leaves_the_others_alone() -> None:
    shops = [row for row in steady(days=10, stores=("1", "2", "3"), units=2.0) if row[0] != "2026-01-07"]
    daily = pd.concat([sold(shops), sold(steady(days=10, stores=("9",), units=1.0), channel="online")], ignore_index=True)
    panel = panel_of(daily=daily)
    closed = {(str(panel.stores[store]), int(day)) for store, _, day in np.argwhere(~panel.available)}
    assert closed == {("1", 6), ("2", 6), ("3", 6)}
    assert not any("nothing at all" in note for note in panel.notes)


def test_a_day_without_any_sale_where_little_is_sold_anyhow_is_a_day_of_low_demand() -> None:
    rows = [row for row in steady(days=10, units=1.0) if row[0] != "2026-01-07"]
    assert panel_of(rows).available.all()


def test_a_store_is_open_from_its_first_sale_on() -> None:
    rows = [row for row in steady(days=10) if row[1] == "1" or row[0] >= "2026-01-04"]
    assert np.flatnonzero(~panel_of(rows).available[1, 0]).tolist() == [0, 1, 2]


def test_a_late_first_sale_is_a_launch_where_the_catalogue_has_no_dates() -> None:
    rows = [row for row in steady(days=10) if row[2] == "A" or row[0] >= "2026-01-05"]
    panel = panel_of(rows)
    assert panel.launched.tolist() == [-1, 4]
    assert np.flatnonzero(~panel.available[0, 1]).tolist() == [0, 1, 2, 3]


def test_a_launch_that_the_catalogue_dates_is_that_day_though_the_first_sale_is_later() -> None:
    rows = [row for row in steady(days=10) if row[2] == "A" or row[0] >= "2026-01-05"]
    products = pd.concat([listed("A"), listed("B", valid_from=FIRST + pd.Timedelta(days=2))])
    assert panel_of(rows, products=products).launched.tolist() == [-1, 2]


def test_a_sku_whose_steady_sales_end_was_withdrawn_and_one_that_rarely_sells_was_not() -> None:
    rows = [row for row in steady(days=10) if row[2] == "A" or row[0] <= "2026-01-06"]
    rare: list[Row] = [("2026-01-02", "1", "C", 1.0), ("2026-01-06", "1", "C", 1.0)]
    panel = panel_of(rows + rare, products=listed("A", "B", "C"))
    assert panel.withdrawn.tolist() == [10, 5, 10]
    assert np.flatnonzero(~panel.available[0, 1]).tolist() == [6, 7, 8, 9]


# stores


def test_sellers_of_their_own_goods_are_pooled_by_channel_and_that_is_said() -> None:
    rows: list[Row] = [("2026-01-01", str(number), f"S{number}", 1.0) for number in range(6)]
    panel = panel_of(rows, products=listed(*(f"S{number}" for number in range(6))))
    assert panel.stores.tolist() == ["loja"]
    assert panel.units.sum() == 6
    assert told(panel, "pooled") == "6 stores are pooled by channel: most stores sell few of the SKUs"


def test_where_there_are_very_many_cells_stores_are_pooled_by_channel_and_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "LARGEST_PANEL", 50)
    promotion = planned("A", "2026-01-02", "2026-01-03", region="Norte")
    stores = placed(s1="Sul", s2="Norte", s3="Sul")
    panel = panel_of(steady(days=10, stores=("1", "2", "3")), stores=stores, promotions=promotion)
    assert panel.stores.tolist() == ["loja Norte", "loja Sul"]
    assert panel.units[:, 0, 0].tolist() == [4.0, 8.0]
    assert [member.stores.tolist() for member in panel.members] == [[0]]
    assert told(panel, "pooled") == "3 stores are pooled by channel and region: there are very many cells"


def test_a_store_without_a_region_lies_in_its_state() -> None:
    panel = panel_of(stores=placed(s1="Sul", s2=None).assign(state=["RS", "SP"]))
    assert [panel.regions[row] for row in panel.region] == ["Sul", "SP"]


# promotions


def test_a_promotion_of_a_region_or_channel_runs_in_its_stores_only() -> None:
    promotions = pd.concat(
        [
            planned("A", "2026-01-02", "2026-01-03", "PR1", region="Norte"),
            planned("A", "2026-01-05", "2026-01-06", "PR2", channel="loja"),
            planned("B", "2026-01-05", "2026-01-06", "PR3", channel="online"),
        ]
    )
    panel = panel_of(stores=placed(s1="Sul", s2="Norte"), promotions=promotions)
    assert [member.stores.tolist() for member in panel.members] == [[1], [0, 1]]
    assert panel.promotions["promotion_id"].tolist() == ["PR1", "PR2"]
    assert told(panel, "left out") == "promotions left out, since no store of channel online is known to have sold anything: PR3"


def test_where_regions_are_not_told_promotions_of_a_region_are_left_out_for_that_reason() -> None:
    promotions = pd.concat([planned("A", "2026-01-02", "2026-01-03", f"PR{number}", region="Sul") for number in range(7)])
    for stores in (None, placed(s1=None, s2=None)):
        panel = panel_of(stores=stores, promotions=promotions)
        assert panel.members == []
        assert told(panel, "left out") == (
            "promotions left out, since they are limited to a region and the source does not tell the regions of its stores: "
            "PR0, PR1, PR2, PR3, PR4 and 2 more"
        )


def test_where_stores_are_pooled_promotions_of_a_region_are_left_out_for_that_reason_and_others_are_kept() -> None:
    numbers = range(6)
    rows: list[Row] = [("2026-01-01", str(number), f"S{number}", 1.0) for number in numbers]
    promotions = pd.concat(
        [planned("S0", "2026-01-01", "2026-01-01", "PR1", region="Sul"), planned("S1", "2026-01-01", "2026-01-01", "PR2")]
    )
    stores = placed(**{f"s{number}": "Sul" for number in numbers})
    panel = panel_of(rows, products=listed(*(f"S{number}" for number in numbers)), stores=stores, promotions=promotions)
    assert panel.promotions["promotion_id"].tolist() == ["PR2"]
    assert told(panel, "left out") == (
        "promotions left out, since they are limited to a region and stores are pooled here without their regions: PR1"
    )


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0]])
def test_of_a_sku_listed_twice_in_one_promotion_the_row_with_the_deepest_discount_counts(order: list[int]) -> None:
    promotions = pd.concat(
        [
            planned("A", "2026-01-02", "2026-01-08", discount_share=0.1, investment=5.0),
            planned("A", "2026-01-04", "2026-01-05", discount_share=0.3, investment=7.0),
            planned("A", "2026-01-02", "2026-01-08", discount_share=None, investment=1.0),
            planned("B", "2026-01-04", "2026-01-06", discount_share=0.2, investment=2.0),
        ]
    )
    panel = panel_of(promotions=promotions.iloc[order])
    assert {(panel.skus[member.sku], member.start, member.end, member.depth) for member in panel.members} == {
        ("A", 3, 4, 0.3),
        ("B", 3, 5, 0.2),
    }
    row = panel.promotions.iloc[0]
    assert (row["starts_on"], row["ends_on"]) == (pd.Timestamp("2026-01-04"), pd.Timestamp("2026-01-06"))
    assert row["investment"] == 9.0
    assert told(panel, "listed") == (
        "1 SKUs are listed more than once in one promotion (PR1): of each only the row with the deepest discount counts, "
        "which is what customers see, with its days and its investment"
    )


def test_the_same_sku_in_two_promotions_counts_in_both() -> None:
    promotions = pd.concat([planned("A", "2026-01-02", "2026-01-05", "PR1"), planned("A", "2026-01-04", "2026-01-08", "PR2")])
    panel = panel_of(promotions=promotions)
    assert [(member.promotion, member.start, member.end) for member in panel.members] == [(0, 1, 4), (1, 3, 7)]
    assert not any("listed" in note for note in panel.notes)


def test_a_promotion_outside_the_days_is_none_and_one_across_their_edge_is_cut_there() -> None:
    promotions = pd.concat(
        [
            planned("A", "2025-12-01", "2025-12-31", "before"),
            planned("A", "2025-12-20", "2026-01-02", "begun"),
            planned("A", "2026-01-09", "2026-01-20", "running"),
            planned("A", "2026-01-11", "2026-01-20", "planned"),
        ]
    )
    panel = panel_of(promotions=promotions)
    found = {panel.promotions["promotion_id"][member.promotion]: (member.start, member.end) for member in panel.members}
    assert found == {"begun": (0, 1), "running": (8, 9)}
    assert panel.promotions["ends_on"].tolist() == [pd.Timestamp("2026-01-02"), pd.Timestamp("2026-01-20")]


def test_a_depth_that_is_not_planned_stays_unknown() -> None:
    promotions = pd.concat([planned("A", "2026-01-02", "2026-01-05", discount_share=None), planned("B", "2026-01-02", "2026-01-05")])
    panel = panel_of(promotions=promotions)
    depths = {panel.skus[member.sku]: member.depth for member in panel.members}
    assert np.isnan(depths["A"])
    assert depths["B"] == 0.2


def test_a_promoted_sku_that_never_sold_is_left_out_and_said() -> None:
    promotions = pd.concat([planned("A", "2026-01-02", "2026-01-05"), planned("Z", "2026-01-02", "2026-01-05")])
    panel = panel_of(promotions=promotions)
    assert len(panel.members) == 1
    assert told(panel, "promoted SKUs") == "1 promoted SKUs never sold and are left out"


def test_an_investment_that_is_not_told_stays_unknown_and_display_that_is_not_told_is_none() -> None:
    promotion = planned("A", "2026-01-02", "2026-01-05", display=None, investment=np.nan)
    row = panel_of(promotions=promotion).promotions.iloc[0]
    assert np.isnan(row["investment"])
    assert not row["display"]
    assert not row["inferred"]
