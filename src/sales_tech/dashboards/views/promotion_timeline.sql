-- One row per source, promotion, phase and day from its start, of the 150 promotions of the source that began last.
with latest as (
    select
        source,
        promotion_id,
        coalesce(name || ' · ' || promotion_id, promotion_id) as promotion,
        case when inferred then 'inferred' else coalesce(mechanic, 'unknown') end as mechanic,
        coalesce(channel, 'all') as channel,
        coalesce(region, 'all') as region,
        starts_on,
        row_number() over (partition by source order by starts_on desc, promotion_id) as place
    from gold.promotion_results
),
categories as (
    select
        d.source,
        d.promotion_id,
        case when count(distinct coalesce(p.category, 'unknown')) > 1 then 'several' else max(coalesce(p.category, 'unknown')) end as category
    from gold.promotion_daily as d
    left join silver.products as p on d.source = p.source and d.sku = p.sku and p.valid_to is null
    group by d.source, d.promotion_id
)
select
    l.source,
    l.promotion,
    c.category,
    l.mechanic,
    l.channel,
    l.region,
    l.starts_on,
    d.sold_on,
    d.phase,
    date_diff('day', l.starts_on, d.sold_on) as day_of_promotion,
    cast(1 as bigint) as days,
    -- Within a promotion its part alone, so that what is sold under two of them counts once.
    sum(cast(d.actual_units as double) * case when d.phase = 'during' then d.share else 1 end) as actual_units,
    sum(cast(d.baseline_units as double) * case when d.phase = 'during' then d.share else 1 end) as baseline_units,
    sum(cast(d.uplift_units as double) * case when d.phase = 'during' then d.share else 1 end) as uplift_units
from gold.promotion_daily as d
join latest as l on d.source = l.source and d.promotion_id = l.promotion_id
join categories as c on d.source = c.source and d.promotion_id = c.promotion_id
where l.place <= 150
group by l.source, l.promotion, c.category, l.mechanic, l.channel, l.region, l.starts_on, d.sold_on, d.phase
