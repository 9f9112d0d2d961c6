-- One row per source and store with any sale: the name and region under which dashboards show it.
with sold as (
    select source, store_id, sum(net_sales) as net_sales from gold.daily_sales group by source, store_id
),
placed as (
    select
        s.source,
        s.store_id,
        s.net_sales,
        t.city,
        coalesce(t.state, 'unknown') as state,
        coalesce(
            t.region,
            case
                when t.state in ('AC', 'AM', 'AP', 'PA', 'RO', 'RR', 'TO') then 'Norte'
                when t.state in ('AL', 'BA', 'CE', 'MA', 'PB', 'PE', 'PI', 'RN', 'SE') then 'Nordeste'
                when t.state in ('DF', 'GO', 'MS', 'MT') then 'Centro-Oeste'
                when t.state in ('ES', 'MG', 'RJ', 'SP') then 'Sudeste'
                when t.state in ('PR', 'RS', 'SC') then 'Sul'
            end,
            'unknown'
        ) as region,
        coalesce(t.name, t.city || ' ' || substr(s.store_id, 1, 8), s.store_id) as name
    from sold as s
    left join silver.stores as t on s.source = t.source and s.store_id = t.store_id
),
ranked as (
    select
        p.*,
        row_number() over (partition by source order by net_sales desc, store_id) as sales_rank,
        count(*) over (partition by source, name) as namesakes
    from placed as p
),
named as (
    select r.*, case when namesakes > 1 then name || ' (' || store_id || ')' else name end as full_name from ranked as r
)
select
    source,
    store_id,
    full_name as name,
    case when sales_rank <= 20 then full_name else 'others (' || region || ')' end as shown_as,
    city,
    state,
    region,
    net_sales,
    sales_rank
from named
