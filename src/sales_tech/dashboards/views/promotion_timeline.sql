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
days as (
    select
        d.source,
        d.promotion_id,
        d.sold_on,
        d.phase,
        case when count(distinct coalesce(p.category, 'unknown')) > 1 then 'several' else max(coalesce(p.category, 'unknown')) end as category,
        sum(d.actual_units) as actual_units,
        sum(d.baseline_units) as baseline_units,
        sum(d.uplift_units) as uplift_units,
        sum(case when d.phase = 'during' then cast(d.baseline_units as double) * d.share end) as promoted_baseline,
        sum(case when d.phase = 'during' then cast(d.uplift_units as double) * d.share end) as promoted_uplift
    from gold.promotion_daily as d
    left join silver.products as p on d.source = p.source and d.sku = p.sku and p.valid_to is null
    group by d.source, d.promotion_id, d.sold_on, d.phase
)
select
    d.source,
    l.promotion,
    d.category,
    l.mechanic,
    l.channel,
    l.region,
    l.starts_on,
    d.sold_on,
    d.phase,
    date_diff('day', l.starts_on, d.sold_on) as day_of_promotion,
    cast(1 as bigint) as days,
    d.actual_units,
    d.baseline_units,
    d.uplift_units,
    d.promoted_baseline,
    d.promoted_uplift
from days as d
join latest as l on d.source = l.source and d.promotion_id = l.promotion_id
where l.place <= 150
