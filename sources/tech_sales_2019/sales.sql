-- One row per line. Product and quantity stand in for the line number that the export lacks.
-- The city stands only inside the address, which is personal data, and so stays in bronze.
select
    s.order_id,
    s.product || ' x' || cast(s.quantity as varchar) as line,
    s.ordered_at as sold_at,
    s.ordered_at_local_date as sold_on,
    'online' as store_id,
    'online' as channel,
    s.product as sku,
    s.address as customer_key,
    s.quantity,
    s.price as unit_price,
    0 as discount,
    0 as freight,
    'USD' as currency,
    'sold' as status
from sales as s
