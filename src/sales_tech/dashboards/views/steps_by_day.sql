-- One row per day, step and outcome. 0.23 is processing_hour of infra/prices.toml: US dollars for an hour of the machine.
select
    coalesce(r.run_date, cast(s.started_at as date)) as run_date,
    s.step,
    s.outcome,
    count(*) as runs,
    sum(s.seconds) as seconds,
    sum(s.seconds) / 3600 as hours,
    sum(s.seconds) / 3600 * 0.23 as cost_usd,
    sum(s.rows_in) as rows_in,
    sum(s.rows_out) as rows_out
from gold.step_runs as s
left join gold.pipeline_runs as r on s.run_id = r.run_id
group by coalesce(r.run_date, cast(s.started_at as date)), s.step, s.outcome
