-- One row per source, promotion and day of it: units of its SKUs without it, and those that it added.
select
    p.source,
    p.promotion,
    p.category,
    p.mechanic,
    p.channel,
    p.region,
    p.evidence,
    d.sold_on,
    sum(cast(d.baseline_units as double) * d.share) as baseline_units,
    sum(cast(d.uplift_units as double) * d.share) as uplift_units
from gold.promotion_daily as d
join views.promotions as p on d.source = p.source and d.promotion_id = p.promotion_id
where d.phase = 'during'
group by p.source, p.promotion, p.category, p.mechanic, p.channel, p.region, p.evidence, d.sold_on
