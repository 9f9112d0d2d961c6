-- One row per source: its last day of sales and its last file, against the last run of the pipeline.
with last_run as (
    select max(run_date) as run_date from gold.pipeline_runs
),
sold as (
    select source, max(sold_on) as last_sold_on from gold.daily_sales group by source
),
loaded as (
    select source, max(cast(date_parse(substr(load_id, 1, 8), '%Y%m%d') as date)) as last_loaded_on
    from silver.fates
    group by source
)
select
    s.source,
    cast(s.last_sold_on as varchar) as last_sold_on,
    cast(l.last_loaded_on as varchar) as last_loaded_on,
    cast(r.run_date as varchar) as last_run_on,
    date_diff('day', s.last_sold_on, r.run_date) as days_since_sale,
    date_diff('day', l.last_loaded_on, r.run_date) as days_since_file
from sold as s
left join loaded as l on s.source = l.source
cross join last_run as r
