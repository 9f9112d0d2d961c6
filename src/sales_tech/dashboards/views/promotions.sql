-- One row per source and promotion with its results, the category of its SKUs, and words where the source tells nothing.
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
    r.promotion_id,
    coalesce(r.name || ' · ' || r.promotion_id, r.promotion_id) as promotion,
    coalesce(c.category, 'unknown') as category,
    case when r.inferred then 'inferred' else coalesce(r.mechanic, 'unknown') end as mechanic,
    coalesce(r.channel, 'all') as channel,
    coalesce(r.region, 'all') as region,
    r.evidence,
    case when r.successful then 'effective' else 'not shown' end as effect,
    r.starts_on,
    cast(1 as bigint) as promotions,
    cast(case when r.successful then 1 else 0 end as bigint) as effective_promotions,
    r.discount_share * cast(r.baseline_units as double) as depth_weight,
    r.actual_units,
    r.baseline_units,
    r.incremental_units,
    r.incremental_units_low,
    r.incremental_units_high,
    cast(r.incremental_units_low as double) / nullif(cast(r.baseline_units as double), 0) as uplift_low,
    cast(r.incremental_units_high as double) / nullif(cast(r.baseline_units as double), 0) as uplift_high,
    r.cannibalised_units,
    r.cannibalised_units_low,
    r.cannibalised_units_high,
    r.halo_units,
    r.halo_units_low,
    r.halo_units_high,
    r.pulled_forward_units,
    r.pulled_forward_units_low,
    r.pulled_forward_units_high,
    r.net_units,
    r.net_units_low,
    r.net_units_high,
    r.actual_revenue,
    r.baseline_revenue,
    r.incremental_revenue,
    r.net_revenue,
    r.discount_given,
    r.investment,
    r.incremental_margin,
    r.cannibalised_margin,
    r.halo_margin,
    r.pulled_forward_margin,
    r.net_margin + coalesce(r.investment, 0) as margin_before_investment,
    r.net_margin,
    r.net_margin_low,
    r.net_margin_high,
    case when r.return_on_investment is not null then r.net_margin end as invested_net_margin,
    case when r.return_on_investment is not null then r.investment end as investment_with_return,
    case when r.return_on_investment is not null then cast(r.net_margin_low as double) / cast(r.investment as double) end as return_low,
    case when r.return_on_investment is not null then cast(r.net_margin_high as double) / cast(r.investment as double) end as return_high,
    r.currency
from gold.promotion_results as r
left join categories as c on r.source = c.source and r.promotion_id = c.promotion_id
