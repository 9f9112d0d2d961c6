-- One row per product. Olist gives neither names, nor prices, nor dates.
select
    p.product_id as sku,
    p.product_category_name as category,
    t.product_category_name_english as category_en
from products as p
left join category_translation as t on p.product_category_name = t.product_category_name
