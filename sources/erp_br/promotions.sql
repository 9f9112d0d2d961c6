-- One row per line of promocoes.
select
    p.codigo as promotion_id,
    p.sku,
    p.nome as name,
    lower(p.mecanica) as mechanic,
    cast(p.desconto_pct / 100 as decimal(6, 4)) as discount_share,
    p.inicio as starts_on,
    p.fim as ends_on,
    lower(p.canal) as channel,
    p.regiao as region,
    p.exposicao as display,
    lower(p.situacao) in ('cancelada', 'cancelado') as withdrawn,
    p.investimento as investment,
    'BRL' as currency
from promocoes as p
