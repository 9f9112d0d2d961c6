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
    costed_net_sales,
    promoted_units,
    returned_units,
    units + returned_units as units_out,
    currency
from gold.product_performance
where sales_rank <= 500
