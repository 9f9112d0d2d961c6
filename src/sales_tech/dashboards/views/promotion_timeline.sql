-- One row per source, promotion, phase and day from its start, of the 150 promotions of the source that began last.
with latest as (
    select *, row_number() over (partition by source order by starts_on desc, promotion_id) as place
    from views.promotions
)
select
    l.source,
    l.promotion,
    l.category,
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
where l.place <= 150
group by l.source, l.promotion, l.category, l.mechanic, l.channel, l.region, l.starts_on, d.sold_on, d.phase
