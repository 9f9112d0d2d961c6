-- One row per source, month, store (the greatest by name), state, region, channel and customer's state.
select
    o.source,
    cast(date_trunc('month', o.sold_on) as date) as month,
    t.shown_as as store,
    t.state,
    t.region,
    o.channel,
    o.customer_state,
    sum(o.orders) as orders,
    sum(o.units) as units,
    sum(o.discount) as discount,
    sum(o.net_sales) as net_sales,
    max(o.currency) as currency
from gold.orders_daily as o
join gold.stores as t on o.source = t.source and o.store_id = t.store_id
group by
    o.source,
    cast(date_trunc('month', o.sold_on) as date),
    t.shown_as,
    t.state,
    t.region,
    o.channel,
    o.customer_state
