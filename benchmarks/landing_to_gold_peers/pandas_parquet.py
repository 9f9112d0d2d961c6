"""pandas: Arrow's CSV reader and strings, money as whole cents, partitioned Parquet as awswrangler writes it (one file for each group)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from job import Job, hashed, main

TEXT = pd.ArrowDtype(pa.string())
ZONE = "America/Sao_Paulo"
STATUS = {"FATURADO": "sold", "CANCELADO": "cancelled", "DEVOLVIDO": "returned"}
DAY_GRAIN = ["sold_on", "store_id", "sku"]


def run(job: Job) -> None:
    """From the landed files to gold."""
    pa.set_cpu_count(job.threads)
    landing, out = job.landing / "erp_br", job.out
    products = periods(pd.concat([bronze(path, out)[0] for path in sorted(landing.glob("produtos_*.csv"))]))
    stores = pd.concat([bronze(path, out)[0] for path in sorted(landing.glob("lojas_*.csv"))]).drop_duplicates("Loja", keep="last")
    stores = stores.rename(columns={"Loja": "store_id", "Nome": "name", "Cidade": "city", "UF": "state", "Região": "region"})
    write(products, out / "products.parquet")
    write(stores, out / "stores.parquet")
    customers: dict[str, str] = {}
    parts, rejects = [], []
    for path in sorted(landing.glob("vendas_*.csv")):
        rows, cut = bronze(path, out)
        typed = typed_sales(rows, customers)
        wrong = reasons(typed, set(products["sku"]), set(stores["store_id"]))
        rejects += [wrong.dropna().to_frame("reason"), pd.DataFrame({"reason": ["incomplete"] * cut})]
        parts.append(typed[wrong.isna()])
    write(pd.concat(rejects), out / "rejects.parquet")
    sales = pd.concat(parts, ignore_index=True)
    del parts
    sales = sales.sort_values("updated_at", kind="stable").drop_duplicates(["order_id", "line"], keep="last")
    sales["quantity"] = sales["quantity"].astype("int32")
    sales["net_sales"] = sales["quantity"] * sales["unit_price"] - sales["discount"]
    write_months(sales, out / "sales")
    gold(sales, products, stores, out)


def bronze(path: Path, out: Path) -> tuple[pd.DataFrame, int]:
    """One file as text, kept as Parquet, and how many of its lines have another number of fields."""
    cut = []

    def skip(row: Any) -> str:
        cut.append(row)
        return "skip"

    rows = pd.read_csv(path, sep=";", encoding="latin-1", engine="pyarrow", dtype=TEXT, keep_default_na=False, on_bad_lines=skip)
    write(rows, out / f"bronze_{path.stem}.parquet")
    return rows[rows.iloc[:, 0] != rows.columns[0]], len(cut)


def periods(rows: pd.DataFrame) -> pd.DataFrame:
    """Products as periods in which nothing changed."""
    names = {"SKU": "sku", "Vigente desde": "valid_from", "Descrição": "name", "Categoria": "category", "Marca": "brand"}
    rows = rows.rename(columns=names | {"Preço de Lista": "price", "Custo": "cost"})
    rows["valid_from"] = pd.to_datetime(rows["valid_from"], format="%d/%m/%Y")
    rows["price"], rows["cost"] = cents(rows["price"]), cents(rows["cost"])
    rows = rows.drop_duplicates(["sku", "valid_from"], keep="last").sort_values(["sku", "valid_from"])
    state = ["sku", "name", "category", "brand", "price", "cost"]
    rows = rows[(rows[state].ne(rows[state].shift())).fillna(True).any(axis=1)]
    return rows.assign(valid_to=rows.groupby("sku")["valid_from"].shift(-1))


def cents(text: pd.Series) -> pd.Series:
    """Money such as 1.234,50 as whole cents; missing where it is no such number."""
    plain = text.str.strip().str.replace(".", "", regex=False)
    value = pd.to_numeric(plain.where(plain != "").str.replace(",", ".", regex=False), errors="coerce")
    return (value.astype("Float64") * 100).round().astype("Int64")


def typed_sales(rows: pd.DataFrame, customers: dict[str, str]) -> pd.DataFrame:
    """Types, signs and the customer's hash; each customer is hashed once."""
    moment = pd.to_datetime(rows["Data da Venda"], format="%d/%m/%Y %H:%M:%S", errors="coerce")
    people = rows["CPF do Cliente"].str.strip()
    for person in people.unique():
        if person and person not in customers:
            customers[person] = hashed(person)
    status = rows["Situação"].map(STATUS)
    returned = status == "returned"
    quantity = pd.to_numeric(rows["Quantidade"], errors="coerce").astype("Float64").astype("Int64")
    discount = cents(rows["Desconto"]).fillna(0)
    return pd.DataFrame(
        {
            "order_id": rows["Pedido"].str.strip(),
            "line": pd.to_numeric(rows["Item"], errors="coerce").astype("Int64"),
            "sold_at": moment.dt.tz_localize(ZONE).dt.tz_convert("UTC"),
            "sold_on": moment.dt.normalize(),
            "store_id": rows["Loja"].str.strip(),
            "channel": rows["Canal"].str.strip().str.lower(),
            "sku": rows["SKU"].str.strip(),
            "customer_key": people.map(customers).astype(TEXT),
            "quantity": quantity.mask(returned, -quantity.abs()),
            "unit_price": cents(rows["Preço Unitário"]),
            "discount": discount.mask(returned, -discount.abs()),
            "freight": cents(rows["Frete"]).fillna(0),
            "promotion_id": rows["Promoção"].where(rows["Promoção"] != ""),
            "status": status.astype(TEXT),
            "updated_at": pd.to_datetime(rows["Atualizado em"], format="%d/%m/%Y %H:%M:%S", errors="coerce")
            .dt.tz_localize(ZONE)
            .dt.tz_convert("UTC"),
        }
    )


def reasons(typed: pd.DataFrame, skus: set[str], stores: set[str]) -> pd.Series:
    """Why a line cannot be right; missing where it can."""
    conditions = {
        "incomplete": (typed["order_id"] == "") | typed["line"].isna() | typed["updated_at"].isna(),
        "no date": typed["sold_at"].isna(),
        "no quantity": typed["quantity"].isna() | (typed["quantity"] == 0),
        "negative quantity": (typed["quantity"] < 0) & (typed["status"] != "returned"),
        "no price": typed["unit_price"].isna() | (typed["unit_price"] < 0) | (typed["freight"] < 0),
        "no status": typed["status"].isna(),
        "unknown sku": ~typed["sku"].isin(skus),
        "unknown store": ~typed["store_id"].isin(stores),
    }
    held = [condition.fillna(False).to_numpy(dtype=bool) for condition in conditions.values()]
    return pd.Series(np.select(held, list(conditions), default=None), index=typed.index, dtype="object")


def gold(sales: pd.DataFrame, products: pd.DataFrame, stores: pd.DataFrame, out: Path) -> None:
    """The gold tables, in the order in which they build on each other."""
    kept = sales[sales["status"] != "cancelled"].copy()
    sold = kept["status"] == "sold"
    daily = daily_sales(kept, products)
    write_months(daily, out / "daily_sales")
    money = ["units", "gross_sales", "discount", "net_sales", "cost", "margin", "promoted_units", "returned_units"]
    kpis = daily.groupby("sold_on")[money].sum()
    kpis["orders"] = kept[sold].groupby("sold_on")["order_id"].nunique()
    kpis["customers"] = kept[sold].groupby("sold_on")["customer_key"].nunique()
    kpis["cancelled_lines"] = (sales["status"] == "cancelled").groupby(sales["sold_on"]).sum()
    kpis["average_ticket"] = kpis["net_sales"] / 100 / kpis["orders"]
    write(kpis.reset_index(), out / "kpis_daily.parquet")
    write(orders_daily(kept), out / "orders_daily.parquet")
    write(product_performance(daily, products), out / "product_performance.parquet")
    shops = daily.groupby("store_id", as_index=False)["net_sales"].sum().merge(stores, on="store_id", how="left")
    write(shops.assign(sales_rank=shops["net_sales"].rank(method="first", ascending=False)), out / "stores_gold.parquet")
    write(customer_value(kept), out / "customer_value.parquet")


def daily_sales(kept: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """One row for each day, store and SKU, with the product's cost of the day."""
    gross = kept["quantity"] * kept["unit_price"]
    promoted, returned = kept["promotion_id"].notna(), kept["status"] == "returned"
    measures = kept[DAY_GRAIN].assign(
        channel=kept["channel"],
        lines=1,
        units=kept["quantity"],
        gross_sales=gross,
        discount=kept["discount"],
        net_sales=kept["net_sales"],
        promoted_units=kept["quantity"].where(promoted, 0),
        promoted_net_sales=kept["net_sales"].where(promoted, 0),
        returned_units=(-kept["quantity"]).where(returned, 0),
        returned_gross_sales=(-gross).where(returned, 0),
        returned_net_sales=(-kept["net_sales"]).where(returned, 0),
    )
    sums = [name for name in measures if name not in (*DAY_GRAIN, "channel")]
    daily = measures.groupby(DAY_GRAIN, as_index=False, sort=False).agg({"channel": "max"} | dict.fromkeys(sums, "sum"))
    costs = products[["sku", "valid_from", "cost"]].sort_values("valid_from")
    daily = daily.sort_values("sold_on")
    costs["valid_from"] = costs["valid_from"].astype(daily["sold_on"].dtype)
    daily = pd.merge_asof(daily, costs, left_on="sold_on", right_on="valid_from", by="sku").drop(columns="valid_from")
    daily["cost"] = daily["units"] * daily["cost"]
    return daily.assign(margin=daily["net_sales"] - daily["cost"])


def orders_daily(kept: pd.DataFrame) -> pd.DataFrame:
    """Orders by day, store and channel; one of several stores counts at the store of its first line."""
    rows = kept[["sold_on", "store_id", "channel", "order_id", "line", "quantity", "discount", "net_sales", "status"]].sort_values("line")
    first = ~rows.duplicated(["sold_on", "order_id", "status"]) & (rows["status"] == "sold")
    rows = rows.assign(orders=first, lines=1, customer_state="unknown")
    grain = ["sold_on", "store_id", "channel", "customer_state"]
    return rows.groupby(grain, as_index=False)[["orders", "lines", "quantity", "discount", "net_sales"]].sum()


def product_performance(daily: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """Each SKU over the last 365 days, with its class by share of sales."""
    recent = daily[daily["sold_on"] > daily["sold_on"].max() - pd.Timedelta(days=365)]
    recent = recent.assign(costed_net_sales=recent["net_sales"].where(recent["margin"].notna()))
    sums = ["units", "gross_sales", "discount", "net_sales", "margin", "costed_net_sales", "promoted_units", "returned_units"]
    by_sku = recent.groupby("sku").agg(
        first_sold_on=("sold_on", "min"),
        last_sold_on=("sold_on", "max"),
        days_sold=("sold_on", "nunique"),
        **{name: (name, "sum") for name in sums},
    )
    by_sku = by_sku.reset_index().sort_values(["net_sales", "sku"], ascending=[False, True])
    running = by_sku["net_sales"].cumsum() / by_sku["net_sales"].sum()
    before = (by_sku["net_sales"].cumsum() - by_sku["net_sales"]) / by_sku["net_sales"].sum()
    by_sku = by_sku.assign(
        sales_rank=np.arange(1, len(by_sku) + 1),
        cumulative_share=running,
        abc_class=np.select([before < 0.8, before < 0.95], ["A", "B"], "C"),
        margin_share=by_sku["margin"] / by_sku["costed_net_sales"],
        discount_share=by_sku["discount"] / by_sku["gross_sales"],
        promoted_share=by_sku["promoted_units"] / by_sku["units"],
        return_share=by_sku["returned_units"] / (by_sku["units"] + by_sku["returned_units"]),
    )
    return by_sku.merge(products[products["valid_to"].isna()][["sku", "name", "category", "brand"]], on="sku", how="left")


def customer_value(kept: pd.DataFrame) -> pd.DataFrame:
    """Recency, frequency and monetary value of each customer over 365 days."""
    last = kept.loc[kept["status"] == "sold", "sold_on"].max()
    window = kept["customer_key"].notna() & (kept["sold_on"] > last - pd.Timedelta(days=365)) & (kept["sold_on"] <= last)
    rows = kept.loc[window, ["customer_key", "order_id", "sold_on", "net_sales", "status"]]
    sold = rows[rows["status"] == "sold"].groupby("customer_key")
    people = pd.DataFrame(
        {"first_order_on": sold["sold_on"].min(), "last_order_on": sold["sold_on"].max(), "frequency": sold["order_id"].nunique()}
    )
    people["monetary"] = rows.groupby("customer_key")["net_sales"].sum()
    people = people.reset_index()
    people["recency_days"] = (last - people["last_order_on"]).dt.days
    people["recency_score"] = fifths(people, "last_order_on")
    people["monetary_score"] = fifths(people, "monetary")
    f, r = people["frequency"], people["recency_score"]
    people["frequency_score"] = np.select([f <= 3, f <= 5], [f, 4], 5)
    g = people["frequency_score"]
    cases = [(r >= 4) & (g >= 3), (r >= 3) & (g >= 2), r >= 4, (g >= 2) | (people["monetary_score"] >= 4)]
    people["segment"] = np.select(cases, ["champion", "loyal", "promising", "at_risk"], "dormant")
    return people.assign(average_ticket=people["monetary"] / 100 / f)


def fifths(people: pd.DataFrame, name: str) -> pd.Series:
    """The fifth of the customers by a column, 1 to 5, with larger groups first as in SQL's ntile."""
    order = people.sort_values([name, "customer_key"]).index
    size, more = divmod(len(order), 5)
    counts = [size + (group < more) for group in range(5)]
    return pd.Series(np.repeat(np.arange(1, 6), counts), index=order)


def write(frame: pd.DataFrame, path: Path) -> None:
    """One Parquet file."""
    frame.to_parquet(path, compression="zstd", index=False)


def write_months(frame: pd.DataFrame, folder: Path) -> None:
    """One file for each month, as awswrangler writes a partitioned data set."""
    for month, rows in frame.groupby(frame["sold_on"].dt.strftime("%Y-%m")):
        (folder / f"month={month}").mkdir(parents=True)
        write(rows, folder / f"month={month}" / "part.parquet")


if __name__ == "__main__":
    main(run)
