-- One row per source and SKU, over the 365 days up to the source's last sale that lies together with most (docs/packs.md).
with days as (
    select
        source,
        sold_on,
        units + returned_units as units,
        case when date_diff('day', lag(sold_on) over (partition by source order by sold_on), sold_on) > 366 then 1 else 0 end as parted
    from gold.kpis_daily
),
stretch_of_days as (
    select d.*, sum(parted) over (partition by source order by sold_on rows unbounded preceding) as stretch from days as d
),
stretches as (
    select
        source,
        max(sold_on) as last_sold_on,
        row_number() over (partition by source order by sum(units) desc, stretch) as place
    from stretch_of_days
    group by source, stretch
),
last_day as (
    select source, last_sold_on from stretches where place = 1
),
sold as (
    select
        d.source,
        d.sku,
        max(d.currency) as currency,
        min(d.sold_on) as first_sold_on,
        max(d.sold_on) as last_sold_on,
        count(distinct d.sold_on) as days_sold,
        sum(d.units) as units,
        sum(d.gross_sales) as gross_sales,
        sum(d.discount) as discount,
        sum(d.net_sales) as net_sales,
        sum(d.margin) as margin,
        sum(case when d.margin is not null then d.net_sales end) as costed_net_sales,
        sum(d.promoted_units) as promoted_units,
        sum(d.returned_units) as returned_units
    from gold.daily_sales as d
    join last_day as l on d.source = l.source
    where d.sold_on > date_add('day', -365, l.last_sold_on)
        and d.sold_on <= l.last_sold_on
    group by d.source, d.sku
),
ranked as (
    select
        s.*,
        row_number() over (partition by source order by net_sales desc, sku) as sales_rank,
        sum(net_sales) over (partition by source order by net_sales desc, sku rows unbounded preceding) as running_sales,
        sum(net_sales) over (partition by source) as source_sales
    from sold as s
),
shares as (
    select
        r.*,
        coalesce(cast(running_sales as double) / nullif(cast(source_sales as double), 0), 1) as cumulative_share,
        coalesce(cast(running_sales - net_sales as double) / nullif(cast(source_sales as double), 0), 1) as share_before
    from ranked as r
),
latest_product as (
    select source, sku, name, category, brand from silver.products where valid_to is null
)
select
    s.source,
    s.sku,
    p.name,
    p.category,
    p.brand,
    s.first_sold_on,
    s.last_sold_on,
    s.days_sold,
    s.units,
    s.net_sales,
    s.margin,
    s.costed_net_sales,
    s.promoted_units,
    s.returned_units,
    cast(s.margin as double) / nullif(cast(s.costed_net_sales as double), 0) as margin_share,
    cast(s.discount as double) / nullif(cast(s.gross_sales as double), 0) as discount_share,
    cast(s.promoted_units as double) / nullif(cast(s.units as double), 0) as promoted_share,
    cast(s.returned_units as double) / nullif(cast(s.units + s.returned_units as double), 0) as return_share,
    s.sales_rank,
    s.cumulative_share,
    case when s.share_before < 0.8 then 'A' when s.share_before < 0.95 then 'B' else 'C' end as abc_class,
    s.currency
from shares as s
left join latest_product as p on s.source = p.source and s.sku = p.sku
