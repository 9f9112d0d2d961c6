-- One row per source, month, weekday, region, channel and category, over the last 24 months of the source.
-- A mistyped year does not end them, as it does not end those of gold.product_performance.
with last_day as (
    select source, max(last_sold_on) as last_sold_on from gold.product_performance group by source
),
-- With a year more, so that the first month of a source that began before it counts whole.
known_days as (
    select d.source, min(d.sold_on) as first_sold_on, max(l.last_sold_on) as last_sold_on
    from gold.daily_sales as d
    join last_day as l on d.source = l.source
    where d.sold_on >= date_add('month', -35, cast(date_trunc('month', l.last_sold_on) as date))
        and d.sold_on <= l.last_sold_on
    group by d.source
),
lines as (
    select
        d.source,
        cast(date_trunc('month', d.sold_on) as date) as month,
        day_of_week(d.sold_on) as weekday,
        t.region,
        d.channel,
        coalesce(p.category, 'unknown') as category,
        d.units,
        d.net_sales,
        d.currency
    from gold.daily_sales as d
    join last_day as l on d.source = l.source
    join gold.stores as t on d.source = t.source and d.store_id = t.store_id
    left join silver.products as p on d.source = p.source and d.sku = p.sku and p.valid_to is null
    where d.sold_on >= date_add('month', -23, cast(date_trunc('month', l.last_sold_on) as date))
        and d.sold_on <= l.last_sold_on
),
-- How many Mondays to Sundays a month has, from the source's first day to its last.
days as (
    select
        k.source,
        cast(date_trunc('month', c.day) as date) as month,
        c.weekday,
        count(*) as days
    from gold.calendar as c
    join known_days as k on c.day between k.first_sold_on and k.last_sold_on
    group by k.source, cast(date_trunc('month', c.day) as date), c.weekday
)
select
    s.source,
    s.month,
    substr(cast(s.month as varchar), 1, 7) as month_name,
    s.weekday,
    s.region,
    s.channel,
    s.category,
    sum(s.units) as units,
    sum(s.net_sales) as net_sales,
    cast(sum(s.net_sales) as double) / cast(max(d.days) as double) as net_sales_a_day,
    max(s.currency) as currency
from lines as s
join days as d on s.source = d.source and s.month = d.month and s.weekday = d.weekday
group by s.source, s.month, s.weekday, s.region, s.channel, s.category
