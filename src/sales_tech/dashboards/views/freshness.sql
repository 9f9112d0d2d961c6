-- One row per source that sold anything or had a file loaded: its last day of sales and its last file, against the last run.
-- A mistyped year is no last day, as it is none of gold.product_performance.
with last_run as (
    select max(run_date) as run_date from gold.pipeline_runs
),
sold as (
    select source, max(last_sold_on) as last_sold_on from gold.product_performance group by source
),
loaded as (
    -- The business day of the run that loaded it; of a run that is not in the ledger yet, the day on which it began.
    select
        f.source,
        max(coalesce(r.run_date, cast(date_parse(substr(f.load_id, 1, 8), '%Y%m%d') as date))) as last_loaded_on
    from (select distinct source, load_id from silver.fates) as f
    left join gold.pipeline_runs as r on f.load_id = r.run_id
    group by f.source
)
select
    coalesce(s.source, l.source) as source,
    coalesce(cast(s.last_sold_on as varchar), 'never') as last_sold_on,
    cast(l.last_loaded_on as varchar) as last_loaded_on,
    cast(r.run_date as varchar) as last_run_on,
    date_diff('day', s.last_sold_on, r.run_date) as days_since_sale,
    date_diff('day', l.last_loaded_on, r.run_date) as days_since_file
from sold as s
full outer join loaded as l on s.source = l.source
cross join last_run as r
