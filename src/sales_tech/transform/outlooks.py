"""The outlook of a source, read back from the gold tables of the last night: plans are answered without learning anything."""

from __future__ import annotations

import pandas as pd

from sales_tech.engines.dialect import literal
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import LakeError
from sales_tech.lake.store import Lake
from sales_tech.planning import Outlook
from sales_tech.planning.losses import loss_rates
from sales_tech.planning.prices import price_list
from sales_tech.planning.regions import RECENT_DAYS as REGION_DAYS
from sales_tech.planning.regions import region_shares
from sales_tech.planning.series import OTHERS, RECENT_DAYS, UNKNOWN, SeriesTable, catalogue_of, shares_of
from sales_tech.promotions.frames import SourceFrames
from sales_tech.transform.forecasts import DEMAND, STEP
from sales_tech.transform.planning_past import DAYS, RESPONSE, RESULTS, read_estimate
from sales_tech.transform.promotion_frames import DAILY, PRODUCTS, STORES, sources_of
from sales_tech.transform.sources import view_table

_PAIR = ["sku", "channel"]


def source_of(lake: Lake, source: str | None = None) -> str:
    """The source that plans are asked of: the one named, or the only one that has a forecast. LakeError where there is none."""
    known = sorted(sources_of(lake, DEMAND))
    if not known:
        raise LakeError(f"{DEMAND} has no forecast yet; run the step {STEP} first")
    if source is None and len(known) == 1:
        return known[0]
    if source not in known:
        found = f"no forecast of source {source}" if source else "several sources have forecasts and none was named"
        raise LakeError(f"{found}; expected --source with one of {', '.join(known)}")
    return source


def read_outlook(lake: Lake, engine: DuckEngine, source: str) -> Outlook:
    """The outlook of a source as of its last forecast; figures are those of the tables, rounded to four digits."""
    for name in (DEMAND, DAILY, PRODUCTS, STORES):
        view_table(engine, lake, name, files=[file for file in lake.files(name) if file.partition[0] == source])
    numbers = ", ".join(
        f"cast({name} as double) as {name}" for name in ("baseline_units", "baseline_low", "baseline_median", "baseline_high")
    )
    baseline: pd.DataFrame = engine.arrow(
        f"select sku, channel, cast(sold_on as timestamp_s) as sold_on, {numbers} from {DEMAND} "
        f"where made_on = (select max(made_on) from {DEMAND}) order by sku, channel, sold_on"
    ).to_pandas()
    made_on, horizon = engine.row(
        f"select max(made_on), max(horizon_days) filter (made_on = (select max(made_on) from {DEMAND})) from {DEMAND}"
    )
    (currency,) = engine.row(f"select max(currency) from {DAILY} where source = {literal(source)}")
    origin = pd.Timestamp(made_on).as_unit("s")
    frames = _frames(engine, origin)
    table = _series(baseline, frames, origin)
    regions = region_shares(frames, table, origin)
    named = table.series.loc[regions["series"], ["name", "channel"]].set_axis(["series", "channel"], axis=1).reset_index(drop=True)
    members = table.members.assign(series=table.series["name"].to_numpy()[table.members["series"]])
    results, daily, response = (read_estimate(lake, engine, source, name) for name in (RESULTS, DAYS, RESPONSE))
    return Outlook(
        baseline=baseline.astype(dict.fromkeys(_PAIR, object)),
        members=members[[*_PAIR, "series", "share"]],
        regions=named.join(regions[["region", "share"]]),
        prices=price_list(frames, origin, origin + pd.Timedelta(days=int(horizon))),
        response=response,
        rates=loss_rates(results, daily, catalogue_of(frames.products)["category"]),
        currency=str(currency),
        origin=origin,
        horizon=int(horizon),
    )


def _frames(engine: DuckEngine, origin: pd.Timestamp) -> SourceFrames:
    """What planning needs of the sales up to the origin: one row per SKU, channel and store, and one of the last day of each SKU."""
    day = f"cast({literal(f'{origin:%Y-%m-%d}')} as date)"
    units = "units + returned_units"
    recent = engine.arrow(
        f"""select sku, channel, store_id, sum({units}) filter (sold_on > {day} - {RECENT_DAYS}) as recent,
            sum({units}) filter (sold_on > {day} - {REGION_DAYS}) as units
        from {DAILY} where sold_on <= {day} group by all order by all"""
    ).to_pandas()
    charged = engine.arrow(
        f"""with days as (
            select sku, sold_on, sum({units}) as units, sum(gross_sales + returned_gross_sales) as gross_sales
            from {DAILY} where sold_on <= {day} and {units} > 0 and gross_sales + returned_gross_sales > 0 group by all
        )
        select sku, cast(sold_on as timestamp_s) as sold_on, cast(units as double) as units, cast(gross_sales as double) as gross_sales
        from days qualify sold_on = max(sold_on) over (partition by sku) order by sku"""
    ).to_pandas()
    products = engine.arrow(
        f"""select sku, cast(valid_from as timestamp_s) as valid_from, cast(valid_to as timestamp_s) as valid_to, category, brand,
            cast(price as double) as price, cast(cost as double) as cost from {PRODUCTS} order by sku, valid_from"""
    ).to_pandas()
    stores = engine.arrow(f"select store_id, state, region, channel from {STORES} order by store_id").to_pandas()
    recent = recent.fillna({"recent": 0, "units": 0}).astype({"recent": "float64", "units": "float64"})
    daily = pd.concat([recent.assign(sold_on=origin, gross_sales=0.0), charged.assign(recent=0.0)], ignore_index=True)
    return SourceFrames(daily, products, stores if len(stores) else None)


def _series(baseline: pd.DataFrame, frames: SourceFrames, origin: pd.Timestamp) -> SeriesTable:
    series = baseline[_PAIR].drop_duplicates().reset_index(drop=True)
    sold = frames.daily[frames.daily["channel"].notna()]
    members = sold.groupby(_PAIR, sort=True)["recent"].sum().reset_index().astype(dict.fromkeys(_PAIR, object))
    about = catalogue_of(frames.products).reindex(members["sku"])
    gone = (pd.to_datetime(about["withdrawn"]) <= origin).to_numpy()
    known = pd.MultiIndex.from_frame(series.astype(object))
    own = pd.MultiIndex.from_frame(members[_PAIR]).isin(known)
    names = members["sku"].where(own, OTHERS + " " + pd.Series(about["category"].fillna(UNKNOWN).to_numpy(), index=members.index))
    members["series"] = known.get_indexer(pd.MultiIndex.from_arrays([names, members["channel"]]))
    members = members[(members["series"] >= 0) & ~gone].reset_index(drop=True)
    members["share"] = shares_of(members["recent"], members["series"])
    table = series.rename(columns={"sku": "name"}).assign(goes_on=True)
    return SeriesTable(table, members)
