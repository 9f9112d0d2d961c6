-- One row per source, category and day: the last eight weeks as they were, and the days of the newest forecast.
with newest as (
    select source, max(made_on) as made_on from gold.demand_forecast group by source
),
expected as (
    select
        f.source,
        f.category,
        f.sold_on,
        sum(cast(f.units as double)) as units,
        -- Errors of the series are taken as independent: their squares add up.
        sqrt(sum(power(cast(f.units as double) - least(cast(f.units_low as double), cast(f.units as double)), 2))) as below,
        sqrt(sum(power(greatest(cast(f.units_high as double), cast(f.units as double)) - cast(f.units as double), 2))) as above
    from gold.demand_forecast as f
    join newest as n on f.source = n.source and f.made_on = n.made_on
    group by f.source, f.category, f.sold_on
),
sold as (
    select
        d.source,
        coalesce(p.category, 'unknown') as category,
        d.sold_on,
        sum(d.units + d.returned_units) as units
    from gold.daily_sales as d
    join newest as n on d.source = n.source
    left join silver.products as p on d.source = p.source and d.sku = p.sku and p.valid_to is null
    where d.sold_on > date_add('day', -56, n.made_on) and d.sold_on <= n.made_on
    group by d.source, coalesce(p.category, 'unknown'), d.sold_on
)
select
    source,
    category,
    sold_on,
    cast(units as double) as actual_units,
    cast(null as double) as units,
    cast(null as double) as units_low,
    cast(null as double) as units_high
from sold
union all
select source, category, sold_on, cast(null as double), units, greatest(units - below, 0), units + above from expected
