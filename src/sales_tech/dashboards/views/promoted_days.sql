-- One row per source, promotion and day of it: units under it without and through it.
with categories as (
    select
        d.source,
        d.promotion_id,
        case when count(distinct coalesce(p.category, 'unknown')) > 1 then 'several' else max(coalesce(p.category, 'unknown')) end as category
    from gold.promotion_daily as d
    left join silver.products as p on d.source = p.source and d.sku = p.sku and p.valid_to is null
    group by d.source, d.promotion_id
)
select
    r.source,
    coalesce(r.name || ' · ' || r.promotion_id, r.promotion_id) as promotion,
    c.category,
    case when r.inferred then 'inferred' else coalesce(r.mechanic, 'unknown') end as mechanic,
    coalesce(r.channel, 'all') as channel,
    coalesce(r.region, 'all') as region,
    r.evidence,
    d.sold_on,
    sum(cast(d.baseline_units as double) * d.share) as baseline_units,
    sum(cast(d.uplift_units as double) * d.share) as uplift_units
from gold.promotion_daily as d
join gold.promotion_results as r on d.source = r.source and d.promotion_id = r.promotion_id
join categories as c on d.source = c.source and d.promotion_id = c.promotion_id
where d.phase = 'during'
group by
    r.source,
    coalesce(r.name || ' · ' || r.promotion_id, r.promotion_id),
    c.category,
    case when r.inferred then 'inferred' else coalesce(r.mechanic, 'unknown') end,
    coalesce(r.channel, 'all'),
    coalesce(r.region, 'all'),
    r.evidence,
    d.sold_on
