-- One row per source and day: money from daily_sales, orders and customers from the lines.
with money as (
    select
        source,
        sold_on,
        max(currency) as currency,
        sum(units) as units,
        sum(gross_sales) as gross_sales,
        sum(discount) as discount,
        sum(net_sales) as net_sales,
        sum(cost) as cost,
        sum(margin) as margin,
        sum(promoted_units) as promoted_units,
        sum(returned_units) as returned_units
    from gold.daily_sales
    group by source, sold_on
),
orders as (
    select
        source,
        sold_on,
        count(distinct case when status = 'sold' then order_id end) as orders,
        count(distinct case when status = 'sold' then customer_key end) as customers,
        sum(case when status = 'cancelled' then 1 else 0 end) as cancelled_lines
    from silver.sales
    group by source, sold_on
)
select
    m.*,
    o.orders,
    o.customers,
    o.cancelled_lines,
    cast(m.net_sales as double) / nullif(cast(o.orders as double), 0) as average_ticket
from money as m
join orders as o on m.source = o.source and m.sold_on = o.sold_on
