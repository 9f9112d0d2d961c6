"""Hand-written DuckDB SQL: the same transformations to plain Parquet, and nothing else."""

from __future__ import annotations

from pathlib import Path

import duckdb
from job import HASH_KEY, Job, main, padded

OPTIONS = "delim = ';', header = true, all_varchar = true, encoding = 'latin-1', filename = true"
MONEY = (
    "try_cast(replace(case when regexp_full_match({0}, '[+-]?[0-9.]*(,[0-9]{{0,2}})?') then replace({0}, '.', '') end, ',', '.') "
    "as decimal(18, 2))"
)
MOMENT = "try_strptime({0}, '%d/%m/%Y %H:%M:%S')"
DAY = "cast(try_strptime({0}, '%d/%m/%Y') as date)"


def run(job: Job) -> None:
    """From the landed files to gold."""
    connection = duckdb.connect()
    for name, value in {"memory_limit": job.memory, "threads": job.threads, "TimeZone": "UTC", "temp_directory": str(job.scratch)}.items():
        connection.execute(f"set {name} = '{value}'")
    connection.execute("set preserve_insertion_order = false")
    connection.execute("set variable inner_pad = ?::blob", [padded(HASH_KEY, 0x36)])
    connection.execute("set variable outer_pad = ?::blob", [padded(HASH_KEY, 0x5C)])
    for step in (bronze, reference, silver, gold):
        for sql in step(job.landing / "erp_br", job.out):
            connection.execute(sql)


def bronze(landing: Path, out: Path) -> list[str]:
    """All lines as text. A line that is cut off is filled up with nulls, and rejected later."""
    kinds = {"vendas": "null_padding = true", "produtos": "null_padding = false", "lojas": "null_padding = false"}
    return [
        f"copy (select * from read_csv('{landing}/{kind}_*.csv', {OPTIONS}, {extra})) to '{out}/bronze_{kind}.parquet' (compression zstd)"
        for kind, extra in kinds.items()
    ]


def reference(_landing: Path, out: Path) -> list[str]:
    """Products as periods in which nothing changed; stores in their latest version."""
    return [
        f"""
        copy (
            with observed as (
                select SKU as sku, {DAY.format('"Vigente desde"')} as valid_from, "Descrição" as name, "Categoria" as category,
                    "Marca" as brand, {MONEY.format('"Preço de Lista"')} as price, {MONEY.format('"Custo"')} as cost
                from '{out}/bronze_produtos.parquet'
                qualify row_number() over (partition by sku, valid_from order by filename desc) = 1
            ),
            changes as (
                select *, row(name, category, brand, price, cost) as state,
                    lag(row(name, category, brand, price, cost)) over (partition by sku order by valid_from) as before
                from observed
            )
            select sku, valid_from, lead(valid_from) over (partition by sku order by valid_from) as valid_to,
                name, category, brand, price, cost
            from changes where state is distinct from before
        ) to '{out}/products.parquet' (compression zstd)""",
        f"""
        copy (
            select Loja as store_id, Nome as name, Cidade as city, UF as state, "Região" as region
            from '{out}/bronze_lojas.parquet'
            qualify row_number() over (partition by store_id order by filename desc) = 1
        ) to '{out}/stores.parquet' (compression zstd)""",
    ]


def silver(_landing: Path, out: Path) -> list[str]:
    """Typed lines with their customer hashed, the wrong ones set aside, and of each order line the latest version."""
    person = "encode(lower(nullif(trim(\"CPF do Cliente\"), '')))"
    hashed = f"left(sha256(getvariable('outer_pad') || unhex(sha256(getvariable('inner_pad') || {person}))), 32)"
    return [
        f"""
        copy (
            with typed as (
                select
                    filename, nullif(trim(Pedido), '') as order_id, try_cast(Item as bigint) as line,
                    {MOMENT.format('"Data da Venda"')} as local_time,
                    timezone('America/Sao_Paulo', local_time) as sold_at, cast(local_time as date) as sold_on,
                    nullif(trim(Loja), '') as store_id, lower(nullif(trim(Canal), '')) as channel, nullif(trim(SKU), '') as sku,
                    {hashed} as customer_key, try_cast(Quantidade as bigint) as units,
                    {MONEY.format('"Preço Unitário"')} as unit_price, {MONEY.format('"Desconto"')} as line_discount,
                    coalesce({MONEY.format('"Frete"')}, 0) as freight, nullif(trim("Promoção"), '') as promotion_id,
                    case "Situação" when 'FATURADO' then 'sold' when 'CANCELADO' then 'cancelled'
                        when 'DEVOLVIDO' then 'returned' end as status,
                    timezone('America/Sao_Paulo', {MOMENT.format('"Atualizado em"')}) as updated_at
                from '{out}/bronze_vendas.parquet'
                where Pedido <> 'Pedido'
            ),
            signed as (
                select t.* exclude (local_time, units, line_discount),
                    cast(case when status = 'returned' then -abs(units) else units end as integer) as quantity,
                    coalesce(case when status = 'returned' then -abs(line_discount) else line_discount end, 0) as discount
                from typed as t
            )
            select s.*, cast(quantity * unit_price - discount as decimal(18, 2)) as net_sales,
                case
                    when order_id is null or line is null or updated_at is null then 'incomplete'
                    when sold_at is null then 'no date'
                    when quantity is null or quantity = 0 then 'no quantity'
                    when quantity < 0 and status <> 'returned' then 'negative quantity'
                    when unit_price is null or unit_price < 0 or freight < 0 then 'no price'
                    when status is null then 'no status'
                    when p.sku is null then 'unknown sku'
                    when t.store_id is null then 'unknown store'
                end as reason
            from signed as s
            left join (select distinct sku from '{out}/products.parquet') as p on s.sku = p.sku
            left join '{out}/stores.parquet' as t on s.store_id = t.store_id
        ) to '{out}/typed.parquet' (compression lz4)""",
        f"copy (select * from '{out}/typed.parquet' where reason is not null) to '{out}/rejects.parquet' (compression zstd)",
        f"""
        copy (
            with repeated as (
                select order_id, line from '{out}/typed.parquet' where reason is null group by order_id, line having count(*) > 1
            ),
            latest as (
                select t.* from '{out}/typed.parquet' as t semi join repeated as r on t.order_id = r.order_id and t.line = r.line
                where reason is null
                qualify row_number() over (partition by t.order_id, t.line order by updated_at desc, filename desc) = 1
            ),
            once as (
                select t.* from '{out}/typed.parquet' as t anti join repeated as r on t.order_id = r.order_id and t.line = r.line
                where reason is null
            )
            select * exclude (filename, reason), strftime(sold_on, '%Y-%m') as month from (from latest union all from once)
        ) to '{out}/sales' (format parquet, compression zstd, partition_by (month))""",
    ]


def gold(_landing: Path, out: Path) -> list[str]:
    """The gold tables, in the order in which they build on each other."""
    sales = f"read_parquet('{out}/sales/*/*.parquet', hive_partitioning = false)"
    daily = f"read_parquet('{out}/daily_sales/*/*.parquet', hive_partitioning = false)"
    queries = {
        "daily_sales": f"""
            with by_sku_and_day as (
                select sold_on, store_id, sku, max(channel) as channel, count(*) as lines, sum(quantity) as units,
                    sum(quantity * unit_price) as gross_sales, sum(discount) as discount, sum(net_sales) as net_sales,
                    coalesce(sum(quantity) filter (where promotion_id is not null), 0) as promoted_units,
                    coalesce(sum(net_sales) filter (where promotion_id is not null), 0) as promoted_net_sales,
                    coalesce(-sum(quantity) filter (where status = 'returned'), 0) as returned_units,
                    coalesce(-sum(quantity * unit_price) filter (where status = 'returned'), 0) as returned_gross_sales,
                    coalesce(-sum(net_sales) filter (where status = 'returned'), 0) as returned_net_sales
                from {sales} where status <> 'cancelled' group by sold_on, store_id, sku
            )
            select s.*, s.units * p.cost as cost, s.net_sales - s.units * p.cost as margin, strftime(sold_on, '%Y-%m') as month
            from by_sku_and_day as s
            left join '{out}/products.parquet' as p
                on s.sku = p.sku and s.sold_on >= p.valid_from and (p.valid_to is null or s.sold_on < p.valid_to)""",
        "kpis_daily": f"""
            with money as (
                select sold_on, sum(units) as units, sum(gross_sales) as gross_sales, sum(discount) as discount,
                    sum(net_sales) as net_sales,
                    sum(cost) as cost, sum(margin) as margin, sum(promoted_units) as promoted_units, sum(returned_units) as returned_units
                from {daily} group by sold_on
            ),
            orders as (
                select sold_on, count(distinct order_id) filter (where status = 'sold') as orders,
                    count(distinct customer_key) filter (where status = 'sold') as customers,
                    count(*) filter (where status = 'cancelled') as cancelled_lines
                from {sales} group by sold_on
            )
            select m.*, o.orders, o.customers, o.cancelled_lines, m.net_sales::double / nullif(o.orders, 0) as average_ticket
            from money as m join orders as o using (sold_on)""",
        "orders_daily": f"""
            with shown as (
                select sold_on, store_id, channel, 'unknown' as customer_state, quantity, discount, net_sales, status,
                    row_number() over (partition by sold_on, order_id, status order by cast(line as varchar)) as place
                from {sales} where status <> 'cancelled'
            )
            select sold_on, store_id, channel, customer_state, count(*) filter (where place = 1 and status = 'sold') as orders,
                count(*) as lines, sum(quantity) as units, sum(discount) as discount, sum(net_sales) as net_sales
            from shown group by sold_on, store_id, channel, customer_state""",
        "product_performance": f"""
            with sold as (
                select sku, min(sold_on) as first_sold_on, max(sold_on) as last_sold_on, count(distinct sold_on) as days_sold,
                    sum(units) as units, sum(gross_sales) as gross_sales, sum(discount) as discount, sum(net_sales) as net_sales,
                    sum(margin) as margin, sum(net_sales) filter (where margin is not null) as costed_net_sales,
                    sum(promoted_units) as promoted_units, sum(returned_units) as returned_units
                from {daily} where sold_on > (select max(sold_on) - 365 from {daily}) group by sku
            ),
            ranked as (
                select *, row_number() over by_sales as sales_rank, sum(net_sales) over by_sales as running_sales,
                    sum(net_sales) over () as all_sales
                from sold window by_sales as (order by net_sales desc, sku rows unbounded preceding)
            )
            select r.* exclude (running_sales, all_sales), p.name, p.category, p.brand,
                margin::double / nullif(costed_net_sales::double, 0) as margin_share,
                discount::double / nullif(gross_sales::double, 0) as discount_share,
                promoted_units::double / nullif(units, 0) as promoted_share,
                returned_units::double / nullif(units + returned_units, 0) as return_share,
                running_sales::double / all_sales::double as cumulative_share,
                case when (running_sales - net_sales)::double / all_sales::double < 0.8 then 'A'
                    when (running_sales - net_sales)::double / all_sales::double < 0.95 then 'B' else 'C' end as abc_class
            from ranked as r left join (from '{out}/products.parquet' where valid_to is null) as p using (sku)""",
        "stores_gold": f"""
            with sold as (select store_id, sum(net_sales) as net_sales from {daily} group by store_id)
            select s.store_id, t.name, t.city, t.state, t.region, s.net_sales, row_number() over (order by s.net_sales desc,
                s.store_id) as sales_rank
            from sold as s left join '{out}/stores.parquet' as t using (store_id)""",
        "customer_value": f"""
            with last_day as (select max(sold_on) as day from {sales} where status = 'sold'),
            bought as (
                select customer_key, any_value(day) as day, min(sold_on) filter (where status = 'sold') as first_order_on,
                    max(sold_on) filter (where status = 'sold') as last_order_on,
                    count(distinct order_id) filter (where status = 'sold') as frequency, sum(net_sales) as monetary
                from {sales}, last_day
                where status <> 'cancelled' and customer_key is not null and sold_on > day - 365 and sold_on <= day
                group by customer_key
            ),
            scored as (
                select *, day - last_order_on as recency_days, ntile(5) over (order by last_order_on, customer_key) as recency_score,
                    case when frequency <= 3 then frequency when frequency <= 5 then 4 else 5 end as frequency_score,
                    ntile(5) over (order by monetary, customer_key) as monetary_score
                from bought where frequency > 0
            )
            select * exclude (day), monetary::double / frequency as average_ticket,
                case when recency_score >= 4 and frequency_score >= 3 then 'champion'
                    when recency_score >= 3 and frequency_score >= 2 then 'loyal'
                    when recency_score >= 4 then 'promising'
                    when frequency_score >= 2 or monetary_score >= 4 then 'at_risk' else 'dormant' end as segment
            from scored""",
    }
    targets = {name: f"'{out}/{name}.parquet' (compression zstd)" for name in queries}
    targets["daily_sales"] = f"'{out}/daily_sales' (format parquet, compression zstd, partition_by (month))"
    return [f"copy ({sql}) to {targets[name]}" for name, sql in queries.items()]


if __name__ == "__main__":
    main(run)
