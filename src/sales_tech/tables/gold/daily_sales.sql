-- One row per source, day, store and SKU. A cancelled line is not a sale; a returned one counts negative.
with sales_by_sku_and_day as (
    select
        source,
        sold_on,
        store_id,
        sku,
        max(channel) as channel,
        max(currency) as currency,
        count(*) as lines,
        sum(quantity) as units,
        sum(quantity * unit_price) as gross_sales,
        sum(discount) as discount,
        sum(net_sales) as net_sales,
        sum(case when promotion_id is not null then quantity else 0 end) as promoted_units,
        sum(case when promotion_id is not null then net_sales else 0 end) as promoted_net_sales,
        sum(case when status = 'returned' then -quantity else 0 end) as returned_units,
        sum(case when status = 'returned' then -quantity * unit_price else 0 end) as returned_gross_sales,
        sum(case when status = 'returned' then -net_sales else 0 end) as returned_net_sales
    from silver.sales
    where status <> 'cancelled'
    group by source, sold_on, store_id, sku
)
select
    s.*,
    s.units * p.cost as cost,
    s.net_sales - s.units * p.cost as margin
from sales_by_sku_and_day as s
left join silver.products as p
    on s.source = p.source
    and s.sku = p.sku
    and s.sold_on >= p.valid_from
    and (p.valid_to is null or s.sold_on < p.valid_to)
