-- One row per source, kind of file, day of loading and fate; an id of a run begins with its day.
select
    source,
    file_kind,
    cast(date_parse(substr(load_id, 1, 8), '%Y%m%d') as date) as loaded_on,
    fate,
    count(*) as files,
    sum(rows) as rows,
    sum(case when fate = 'rejected' then rows else 0 end) as rejected_rows
from silver.fates
group by source, file_kind, cast(date_parse(substr(load_id, 1, 8), '%Y%m%d') as date), fate
