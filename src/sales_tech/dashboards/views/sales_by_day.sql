-- One row per source, day, store (the greatest by name), state, region and channel, over the last 400 days of the source.
-- A mistyped year does not end them, as it does not end those of gold.product_performance.
with last_day as (
    select source, max(last_sold_on) as last_sold_on from gold.product_performance group by source
)
select
    d.source,
    d.sold_on,
    t.shown_as as store,
    t.state,
    t.region,
    d.channel,
    sum(d.units) as units,
    sum(d.net_sales) as net_sales,
    sum(d.margin) as margin,
    sum(d.promoted_net_sales) as promoted_net_sales,
    max(d.currency) as currency
from gold.daily_sales as d
join last_day as l on d.source = l.source
join gold.stores as t on d.source = t.source and d.store_id = t.store_id
where d.sold_on > date_add('day', -400, l.last_sold_on)
    and d.sold_on <= l.last_sold_on
group by d.source, d.sold_on, t.shown_as, t.state, t.region, d.channel
