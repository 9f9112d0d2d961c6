-- One row per order item. An item has no quantity: one row is one unit. Olist knows no promotions.
select
    i.order_id,
    cast(i.order_item_id as varchar) as line,
    o.order_purchase_timestamp as sold_at,
    o.order_purchase_timestamp_local_date as sold_on,
    i.seller_id as store_id,
    'marketplace' as channel,
    i.product_id as sku,
    c.customer_unique_id as customer_key,
    c.customer_state,
    1 as quantity,
    i.price as unit_price,
    0 as discount,
    i.freight_value as freight,
    'BRL' as currency,
    case when o.order_status in ('canceled', 'unavailable') then 'cancelled' else 'sold' end as status
from order_items as i
left join orders as o on i.order_id = o.order_id
left join customers as c on o.customer_id = c.customer_id
