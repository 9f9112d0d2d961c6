-- One row per line of lojas.
select
    l.loja as store_id,
    l.nome as name,
    l.cidade as city,
    l.uf as state,
    l.regiao as region,
    lower(l.canal) as channel,
    l.aberta_em as opened_on
from lojas as l
