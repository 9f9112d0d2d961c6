"""Polars: lazy queries over Parquet with the streaming engine; money as decimals."""

from __future__ import annotations

import os
from pathlib import Path

from job import Job, hashed, main

STATUS = {"FATURADO": "sold", "CANCELADO": "cancelled", "DEVOLVIDO": "returned"}
GRAIN = ["sold_on", "store_id", "sku"]


def run(job: Job) -> None:
    """From the landed files to gold."""
    os.environ["POLARS_MAX_THREADS"] = str(job.threads)  # read by Polars as it is imported
    landing, out = job.landing / "erp_br", job.out
    for kind in ("produtos", "lojas", "vendas"):
        bronze(landing, out, kind)
    products = reference(out)
    silver(out)
    gold(out, products)


def bronze(landing: Path, out: Path, kind: str) -> None:
    """All lines as text. The lazy reader knows no latin-1, so each file is read whole; a line cut off is filled up with nulls."""
    import polars as pl

    (out / f"bronze_{kind}").mkdir()
    for path in sorted(landing.glob(f"{kind}_*.csv")):
        rows = pl.read_csv(path, separator=";", encoding="latin-1", infer_schema=False)
        rows.with_columns(file=pl.lit(path.name)).write_parquet(out / f"bronze_{kind}" / f"{path.stem}.parquet", compression="zstd")


def reference(out: Path):
    """Products as periods in which nothing changed, and stores in their latest version."""
    import polars as pl

    state = ["name", "category", "brand", "price", "cost"]
    products = (
        pl.read_parquet(out / "bronze_produtos/*.parquet")
        .select(
            sku="SKU",
            valid_from=pl.col("Vigente desde").str.to_date("%d/%m/%Y"),
            name="Descrição",
            category="Categoria",
            brand="Marca",
            price=money("Preço de Lista"),
            cost=money("Custo"),
        )
        .unique(["sku", "valid_from"], keep="last", maintain_order=True)
        .sort("sku", "valid_from")
        .filter(pl.struct(state).ne_missing(pl.struct(state).shift().over("sku")) | (pl.int_range(pl.len()).over("sku") == 0))
        .with_columns(valid_to=pl.col("valid_from").shift(-1).over("sku"))
    )
    stores = pl.read_parquet(out / "bronze_lojas/*.parquet").sort("file").unique("Loja", keep="last", maintain_order=True)
    products.write_parquet(out / "products.parquet", compression="zstd")
    stores.select(store_id="Loja", name="Nome", city="Cidade", state="UF", region="Região").write_parquet(out / "stores.parquet")
    return products


def money(name: str):
    """Money such as 1.234,50 as a decimal; null where it is no such number."""
    import polars as pl

    return (
        pl.col(name)
        .str.strip_chars()
        .str.replace_all(".", "", literal=True)
        .str.replace(",", ".", literal=True)
        .cast(pl.Decimal(18, 2), strict=False)
    )


def silver(out: Path) -> None:
    """Typed lines, the wrong ones set aside, and of each order line the latest version."""
    import polars as pl

    lines = pl.scan_parquet(out / "bronze_vendas/*.parquet").filter(pl.col("Pedido") != "Pedido")
    people = (
        lines.select(pl.col("CPF do Cliente").str.strip_chars()).filter(pl.col("CPF do Cliente") != "").unique().collect(engine="streaming")
    )
    keys = people.with_columns(customer_key=pl.Series([hashed(person) for person in people["CPF do Cliente"]], dtype=pl.String))
    text = lambda name: pl.col(name).str.strip_chars().replace("", None)  # noqa: E731
    when = lambda name: pl.col(name).str.to_datetime("%d/%m/%Y %H:%M:%S", strict=False)  # noqa: E731
    instant = lambda name: when(name).dt.replace_time_zone("America/Sao_Paulo").dt.convert_time_zone("UTC")  # noqa: E731
    returned = pl.col("status") == "returned"
    typed = (
        lines.with_columns(pl.col("CPF do Cliente").str.strip_chars())
        .join(keys.lazy(), on="CPF do Cliente", how="left")
        .select(
            order_id=text("Pedido"),
            line=pl.col("Item").cast(pl.Int64, strict=False),
            sold_at=instant("Data da Venda"),
            sold_on=when("Data da Venda").dt.date(),
            store_id=text("Loja"),
            channel=text("Canal").str.to_lowercase(),
            sku=text("SKU"),
            customer_key="customer_key",
            quantity=pl.col("Quantidade").cast(pl.Int32, strict=False),
            unit_price=money("Preço Unitário"),
            discount=money("Desconto").fill_null(0),
            freight=money("Frete").fill_null(0),
            promotion_id=text("Promoção"),
            status=pl.col("Situação").replace_strict(STATUS, default=None),
            updated_at=instant("Atualizado em"),
            file="file",
        )
        .with_columns(
            quantity=pl.when(returned).then(-pl.col("quantity").abs()).otherwise("quantity"),
            discount=pl.when(returned & (pl.col("discount") > 0)).then(-pl.col("discount")).otherwise("discount"),
        )
        .join(pl.scan_parquet(out / "products.parquet").select("sku", known=True).unique(), on="sku", how="left")
        .join(pl.scan_parquet(out / "stores.parquet").select("store_id", there=True), on="store_id", how="left")
        .with_columns(
            net_sales=(pl.col("quantity") * pl.col("unit_price") - pl.col("discount")).cast(pl.Decimal(18, 2)),
            reason=pl.when(pl.any_horizontal(pl.col("order_id", "line", "updated_at").is_null()))
            .then(pl.lit("incomplete"))
            .when(pl.col("sold_at").is_null())
            .then(pl.lit("no date"))
            .when(pl.col("quantity").is_null() | (pl.col("quantity") == 0))
            .then(pl.lit("no quantity"))
            .when((pl.col("quantity") < 0) & (pl.col("status") != "returned"))
            .then(pl.lit("negative quantity"))
            .when(pl.col("unit_price").is_null() | (pl.col("unit_price") < 0) | (pl.col("freight") < 0))
            .then(pl.lit("no price"))
            .when(pl.col("status").is_null())
            .then(pl.lit("no status"))
            .when(pl.col("known").is_null())
            .then(pl.lit("unknown sku"))
            .when(pl.col("there").is_null())
            .then(pl.lit("unknown store")),
        )
        .drop("known", "there")
    )
    typed.sink_parquet(out / "typed.parquet", compression="lz4", engine="streaming")
    pool = pl.scan_parquet(out / "typed.parquet")
    pool.filter(pl.col("reason").is_not_null()).sink_parquet(out / "rejects.parquet", engine="streaming")
    sound = pool.filter(pl.col("reason").is_null()).drop("reason")
    key = ["order_id", "line"]
    repeated = sound.group_by(key).len().filter(pl.col("len") > 1).select(key)
    latest = sound.join(repeated, on=key, how="semi").sort("updated_at", "file").unique(key, keep="last", maintain_order=True)
    sales = pl.concat([sound.join(repeated, on=key, how="anti"), latest]).drop("file")
    write_months(sales, out / "sales")


def gold(out: Path, products) -> None:
    """The gold tables, in the order in which they build on each other."""
    import polars as pl

    sales = pl.scan_parquet(out / "sales/**/*.parquet", hive_partitioning=False)
    kept = sales.filter(pl.col("status") != "cancelled")
    promoted, returned, sold = pl.col("promotion_id").is_not_null(), pl.col("status") == "returned", pl.col("status") == "sold"
    gross = pl.col("quantity") * pl.col("unit_price")
    by_sku_and_day = kept.group_by(GRAIN).agg(
        channel=pl.col("channel").max(),
        lines=pl.len(),
        units=pl.col("quantity").cast(pl.Int64).sum(),
        gross_sales=gross.sum(),
        discount=pl.col("discount").sum(),
        net_sales=pl.col("net_sales").sum(),
        promoted_units=pl.col("quantity").filter(promoted).cast(pl.Int64).sum(),
        promoted_net_sales=pl.col("net_sales").filter(promoted).sum(),
        returned_units=-pl.col("quantity").filter(returned).cast(pl.Int64).sum(),
        returned_gross_sales=-gross.filter(returned).sum(),
        returned_net_sales=-pl.col("net_sales").filter(returned).sum(),
    )
    costs = products.lazy().select("sku", "cost", valid_from="valid_from").sort("valid_from")
    daily = (
        by_sku_and_day.sort("sold_on")
        .join_asof(costs, left_on="sold_on", right_on="valid_from", by="sku", check_sortedness=False)
        .drop("valid_from")
        .with_columns(cost=pl.col("units") * pl.col("cost"))
        .with_columns(margin=pl.col("net_sales") - pl.col("cost"))
    )
    write_months(daily, out / "daily_sales")
    daily = pl.scan_parquet(out / "daily_sales/**/*.parquet", hive_partitioning=False)
    measures = ["units", "gross_sales", "discount", "net_sales", "cost", "margin", "promoted_units", "returned_units"]
    orders = sales.group_by("sold_on").agg(
        orders=pl.col("order_id").filter(sold).n_unique(),
        customers=pl.col("customer_key").filter(sold).drop_nulls().n_unique(),
        cancelled_lines=(pl.col("status") == "cancelled").sum(),
    )
    kpis = daily.group_by("sold_on").agg(pl.col(measures).sum()).join(orders, on="sold_on")
    write(kpis.with_columns(average_ticket=pl.col("net_sales").cast(pl.Float64) / pl.col("orders")), out / "kpis_daily.parquet")
    first = kept.filter(sold).group_by("sold_on", "order_id").agg(line=pl.col("line").min()).with_columns(first=True, status=pl.lit("sold"))
    shown = kept.join(first, on=["sold_on", "order_id", "line", "status"], how="left")
    by_day = shown.group_by("sold_on", "store_id", "channel", pl.lit("unknown").alias("customer_state")).agg(
        pl.col("first").sum().alias("orders"),
        pl.len().alias("lines"),
        pl.col("quantity").cast(pl.Int64).sum().alias("units"),
        pl.col("discount", "net_sales").sum(),
    )
    write(by_day, out / "orders_daily.parquet")
    write(product_performance(daily, products), out / "product_performance.parquet")
    shops = (
        daily.group_by("store_id").agg(pl.col("net_sales").sum()).join(pl.scan_parquet(out / "stores.parquet"), on="store_id", how="left")
    )
    write(shops.sort("net_sales", descending=True).with_row_index("sales_rank", 1), out / "stores_gold.parquet")
    write(customer_value(kept), out / "customer_value.parquet")


def product_performance(daily, products):
    """Each SKU over the last 365 days, with its class by share of sales."""
    import polars as pl

    recent = daily.filter(pl.col("sold_on") > pl.col("sold_on").max().dt.offset_by("-365d"))
    sums = ["units", "gross_sales", "discount", "net_sales", "margin", "promoted_units", "returned_units"]
    by_sku = recent.group_by("sku").agg(
        pl.col("sold_on").min().alias("first_sold_on"),
        pl.col("sold_on").max().alias("last_sold_on"),
        pl.col("sold_on").n_unique().alias("days_sold"),
        *(pl.col(name).sum() for name in sums),
        pl.col("net_sales").filter(pl.col("margin").is_not_null()).sum().alias("costed_net_sales"),
    )
    number = lambda name: pl.col(name).cast(pl.Float64)  # noqa: E731
    ranked = by_sku.sort("net_sales", "sku", descending=[True, False]).with_row_index("sales_rank", 1)
    shares = ranked.with_columns(
        cumulative_share=number("net_sales").cum_sum() / number("net_sales").sum(),
        before=(number("net_sales").cum_sum() - number("net_sales")) / number("net_sales").sum(),
        margin_share=number("margin") / number("costed_net_sales"),
        discount_share=number("discount") / number("gross_sales"),
        promoted_share=number("promoted_units") / number("units"),
        return_share=number("returned_units") / (number("units") + number("returned_units")),
    )
    classes = pl.when(pl.col("before") < 0.8).then(pl.lit("A")).when(pl.col("before") < 0.95).then(pl.lit("B")).otherwise(pl.lit("C"))
    names = products.lazy().filter(pl.col("valid_to").is_null()).select("sku", "name", "category", "brand")
    return shares.with_columns(abc_class=classes).join(names, on="sku", how="left")


def customer_value(kept):
    """Recency, frequency and monetary value of each customer over 365 days."""
    import polars as pl

    sold = pl.col("status") == "sold"
    last = kept.filter(sold).select(pl.col("sold_on").max()).collect(engine="streaming").item()
    in_window = (
        pl.col("customer_key").is_not_null() & (pl.col("sold_on") > pl.lit(last).dt.offset_by("-365d")) & (pl.col("sold_on") <= last)
    )
    people = (
        kept.filter(in_window)
        .group_by("customer_key")
        .agg(
            first_order_on=pl.col("sold_on").filter(sold).min(),
            last_order_on=pl.col("sold_on").filter(sold).max(),
            frequency=pl.col("order_id").filter(sold).n_unique(),
            monetary=pl.col("net_sales").sum(),
        )
        .filter(pl.col("frequency") > 0)
    )

    def fifth(name: str):
        place, size, more = pl.struct(name, "customer_key").rank("ordinal").cast(pl.Int64) - 1, pl.len() // 5, pl.len() % 5
        large = more * (size + 1)
        return pl.when(place < large).then(place // (size + 1)).otherwise(more + (place - large) // size) + 1

    f, r, g, m = (pl.col(name) for name in ("frequency", "recency_score", "frequency_score", "monetary_score"))
    segment = (
        pl.when((r >= 4) & (g >= 3))
        .then(pl.lit("champion"))
        .when((r >= 3) & (g >= 2))
        .then(pl.lit("loyal"))
        .when(r >= 4)
        .then(pl.lit("promising"))
        .when((g >= 2) | (m >= 4))
        .then(pl.lit("at_risk"))
        .otherwise(pl.lit("dormant"))
    )
    return people.with_columns(
        recency_days=(pl.lit(last) - pl.col("last_order_on")).dt.total_days(),
        recency_score=fifth("last_order_on"),
        monetary_score=fifth("monetary"),
        frequency_score=pl.when(f <= 3).then(f).when(f <= 5).then(4).otherwise(5),
        average_ticket=pl.col("monetary").cast(pl.Float64) / f,
    ).with_columns(segment=segment)


def write(frame, path: Path) -> None:
    """One Parquet file."""
    frame.sink_parquet(path, compression="zstd", engine="streaming")


def write_months(frame, folder: Path) -> None:
    """One folder for each month."""
    import polars as pl

    month = pl.col("sold_on").dt.strftime("%Y-%m").alias("month")
    frame.with_columns(month).sink_parquet(
        pl.PartitionBy(folder, key="month", include_key=False), compression="zstd", engine="streaming", mkdir=True
    )


if __name__ == "__main__":
    main(run)
