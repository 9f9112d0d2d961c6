-- One row per source, month, weekday, region, channel and category, over the last 24 months of the source.
with last_day as (
    select source, min(sold_on) as first_sold_on, max(sold_on) as last_sold_on from gold.daily_sales group by source
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
),
-- How many Mondays to Sundays a month has, from the source's first day to its last.
days as (
    select
        l.source,
        cast(date_trunc('month', c.day) as date) as month,
        c.weekday,
        count(*) as days
    from gold.calendar as c
    join last_day as l on c.day between l.first_sold_on and l.last_sold_on
    group by l.source, cast(date_trunc('month', c.day) as date), c.weekday
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
