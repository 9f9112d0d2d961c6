-- One row per source, ABC class and category, over the 365 days up to the source's last sale.
select
    source,
    abc_class,
    coalesce(category, 'unknown') as category,
    count(*) as skus,
    sum(units) as units,
    sum(net_sales) as net_sales,
    sum(margin) as margin,
    sum(costed_net_sales) as costed_net_sales,
    max(currency) as currency
from gold.product_performance
group by source, abc_class, coalesce(category, 'unknown')
