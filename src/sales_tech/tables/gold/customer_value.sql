-- One row per source and customer: recency, frequency and monetary value over 365 days.
-- The year of gold.product_performance, which no mistyped year ends.
with until as (
    select source, max(last_sold_on) as last_day from gold.product_performance group by source
),
last_day as (
    select s.source, max(s.sold_on) as last_sold_on
    from silver.sales as s
    join until as u on s.source = u.source
    where s.status = 'sold' and s.sold_on <= u.last_day
    group by s.source
),
bought as (
    select
        s.source,
        s.customer_key,
        max(s.currency) as currency,
        max(l.last_sold_on) as last_day,
        min(case when s.status = 'sold' then s.sold_on end) as first_order_on,
        max(case when s.status = 'sold' then s.sold_on end) as last_order_on,
        count(distinct case when s.status = 'sold' then s.order_id end) as frequency,
        sum(s.net_sales) as monetary
    from silver.sales as s
    join last_day as l on s.source = l.source
    where s.status <> 'cancelled'
        and s.customer_key is not null
        and s.sold_on > date_add('day', -365, l.last_sold_on)
        and s.sold_on <= l.last_sold_on
    group by s.source, s.customer_key
),
scored as (
    select
        b.*,
        date_diff('day', b.last_order_on, b.last_day) as recency_days,
        ntile(5) over (partition by source order by last_order_on, customer_key) as recency_score,
        case when frequency <= 3 then frequency when frequency <= 5 then 4 else 5 end as frequency_score,
        ntile(5) over (partition by source order by monetary, customer_key) as monetary_score
    from bought as b
    where frequency > 0
)
select
    s.*,
    cast(monetary as double) / cast(frequency as double) as average_ticket,
    case
        when recency_score >= 4 and frequency_score >= 3 then 'champion'
        when recency_score >= 3 and frequency_score >= 2 then 'loyal'
        when recency_score >= 4 then 'promising'
        when frequency_score >= 2 or monetary_score >= 4 then 'at_risk'
        else 'dormant'
    end as segment
from scored as s
