-- One row per source, planned or running promotion and channel: what it is expected to bring in the days to come.
select
    source,
    coalesce(max(name) || ' · ' || promotion_id, promotion_id) as promotion,
    case when count(distinct category) > 1 then 'several' else max(category) end as category,
    case when count(distinct mechanic) > 1 then 'several' else max(mechanic) end as mechanic,
    channel,
    coalesce(max(region), 'all') as region,
    cast(max(starts_on) as varchar) as starts_on,
    cast(max(ends_on) as varchar) as ends_on,
    sum(baseline_units) as baseline_units,
    sum(uplift_units) as uplift_units,
    sum(units) as units,
    sum(net_units) as net_units,
    sum(revenue) as revenue,
    sum(revenue - baseline_revenue) as incremental_revenue,
    sum(margin - baseline_margin) as incremental_margin,
    sum(net_margin_before_investment) as net_margin_before_investment,
    max(currency) as currency
from gold.promotion_forecast
group by source, promotion_id, channel
