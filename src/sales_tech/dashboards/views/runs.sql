-- One row per run of the pipeline that had anything to do.
select
    run_id,
    run_date,
    outcome,
    cast(1 as bigint) as runs,
    cast(case when outcome = 'failed' then 1 else 0 end as bigint) as failed_runs,
    seconds,
    files_loaded,
    files_rejected
from gold.pipeline_runs
