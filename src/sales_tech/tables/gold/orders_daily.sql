-- One row per source, day, store, channel and customer's state. An order counts once a day, at the store of its first line.
with shown as (
    select
        source,
        sold_on,
        store_id,
        channel,
        coalesce(customer_state, 'unknown') as customer_state,
        currency,
        order_id,
        line,
        quantity,
        discount,
        net_sales,
        case when status = 'sold' then
            row_number() over (partition by source, sold_on, order_id, status order by line)
        end as place_in_order
    from silver.sales
    where status <> 'cancelled'
)
select
    source,
    sold_on,
    store_id,
    channel,
    customer_state,
    sum(case when place_in_order = 1 then 1 else 0 end) as orders,
    count(*) as lines,
    sum(quantity) as units,
    sum(discount) as discount,
    sum(net_sales) as net_sales,
    max(currency) as currency
from shown
group by source, sold_on, store_id, channel, customer_state
