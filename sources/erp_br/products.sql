-- One row per line of produtos: what holds for the SKU from its date on.
select
    p.sku,
    p.vigente_desde as valid_from,
    p.descricao as name,
    p.categoria as category,
    p.marca as brand,
    p.preco as price,
    p.custo as cost,
    'BRL' as currency
from produtos as p
