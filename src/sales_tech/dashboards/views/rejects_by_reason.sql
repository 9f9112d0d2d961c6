-- One row per source, kind of file, day of loading and reason; a row with several reasons counts under each.
select
    r.source,
    r.file_kind,
    cast(date_parse(substr(r.load_id, 1, 8), '%Y%m%d') as date) as loaded_on,
    e.reason,
    count(*) as rows,
    sum(case when r.waits then 1 else 0 end) as waiting_rows
from silver.rejects as r
cross join unnest(split(r.reasons, '; ')) as e (reason)
group by r.source, r.file_kind, cast(date_parse(substr(r.load_id, 1, 8), '%Y%m%d') as date), e.reason
