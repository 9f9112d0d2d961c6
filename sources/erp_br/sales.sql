-- One row per line of vendas. A returned line (DEVOLVIDO) counts negative, whatever sign the ERP wrote.
with lines as (
    select
        v.*,
        case v.situacao
            when 'FATURADO' then 'sold'
            when 'CANCELADO' then 'cancelled'
            when 'DEVOLVIDO' then 'returned'
        end as status,
        case when v.situacao = 'DEVOLVIDO' then -abs(v.quantidade) else v.quantidade end as units,
        case when v.situacao = 'DEVOLVIDO' then -abs(v.desconto) else v.desconto end as signed_discount
    from vendas as v
)
select
    pedido as order_id,
    cast(item as varchar) as line,
    data_venda as sold_at,
    data_venda_local_date as sold_on,
    loja as store_id,
    lower(canal) as channel,
    sku,
    cpf as customer_key,
    units as quantity,
    preco as unit_price,
    signed_discount as discount,
    frete as freight,
    'BRL' as currency,
    promocao as promotion_id,
    status
from lines
