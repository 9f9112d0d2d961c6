-- One row per source and SKU, the 500 with the greatest net sales of the 365 days up to the source's last sale.
select
    source,
    sku,
    coalesce(name || ' · ' || sku, sku) as product,
    coalesce(category, 'unknown') as category,
    coalesce(brand, 'unknown') as brand,
    abc_class,
    units,
    net_sales,
    margin,
    case when margin is not null then net_sales end as costed_net_sales,
    promoted_share * cast(units as double) as promoted_units,
    return_share * cast(units as double) / nullif(1 - return_share, 0) as returned_units,
    cast(units as double) / nullif(1 - return_share, 0) as units_out,
    currency
from gold.product_performance
where sales_rank <= 500
