-- One row per source, month, store (the greatest by name), state, region, channel and category.
with lines as (
    select
        d.*,
        cast(date_trunc('month', d.sold_on) as date) as month,
        coalesce(p.category, 'unknown') as category
    from gold.daily_sales as d
    left join silver.products as p on d.source = p.source and d.sku = p.sku and p.valid_to is null
),
ranked as (
    select source, category, row_number() over (partition by source order by sum(net_sales) desc, category) as place
    from lines
    group by source, category
)
select
    l.source,
    l.month,
    t.shown_as as store,
    t.state,
    t.region,
    l.channel,
    l.category,
    case when r.place <= 11 then l.category else 'others' end as main_category,
    sum(l.units) as units,
    sum(l.gross_sales) as gross_sales,
    sum(l.discount) as discount,
    sum(l.net_sales) as net_sales,
    sum(l.margin) as margin,
    sum(case when l.margin is not null then l.net_sales end) as costed_net_sales,
    sum(l.promoted_net_sales) as promoted_net_sales,
    sum(l.returned_units) as returned_units,
    sum(l.units + l.returned_units) as units_out,
    max(l.currency) as currency
from lines as l
join ranked as r on l.source = r.source and l.category = r.category
join gold.stores as t on l.source = t.source and l.store_id = t.store_id
group by l.source, l.month, t.shown_as, t.state, t.region, l.channel, l.category, r.place
