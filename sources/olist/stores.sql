-- One row per seller.
select
    s.seller_id as store_id,
    s.seller_city as city,
    s.seller_state as state,
    'marketplace' as channel
from sellers as s
