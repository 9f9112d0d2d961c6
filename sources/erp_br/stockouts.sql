-- One row per line of rupturas.
select
    r.loja as store_id,
    r.sku,
    r.inicio as starts_on,
    r.fim as ends_on
from rupturas as r
