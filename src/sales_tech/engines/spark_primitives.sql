-- The primitives of duck_primitives.sql in Spark's functions. They are put into a query where it calls them,
-- since Spark 3.5 has no macros. The text is read as DuckDB's, so a backslash stands for itself.

create macro clean(x) as
    case
        when x > '!' and x < '~' and substring(x, -1) between '!' and '~' then x
        else nullif(regexp_replace(x, '^[\t-\r\x{1c}-\x{1f}\x{85}\p{Z}]+|[\t-\r\x{1c}-\x{1f}\x{85}\p{Z}]+\z', '', 'g'), '')
    end;

create macro plain_number(x, mark, scale) as
    case
        when mark = ',' and rlike(x, '\A[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+)?(,\d{0,' || scale || '}0*)?\z')
            then replace(replace(x, '.', ''), ',', '.')
        when mark = '.' and rlike(x, '\A[+-]?\d*(\.\d{0,' || scale || '}0*)?\z') then x
    end;

create macro as_integer(x) as
    case
        when rlike(x, '\A[+-]?\d{1,18}\z') then try_cast(x as bigint)
        when rlike(x, '\A[+-]?\d{1,3}[.,]000\z') then null
        when rlike(x, '\A[+-]?\d{1,18}[.,]0+\z') then try_cast(substring_index(replace(x, ',', '.'), '.', 1) as bigint)
    end;

create macro as_boolean(x) as
    case
        when lower(x) in ('true', 't', 'yes', 'y', '1', 'sim', 's') then true
        when lower(x) in ('false', 'f', 'no', 'n', '0', 'não', 'nao') then false
    end;

create macro as_date(x, format) as cast(local_time(x, format) as date);

-- Where a clock shows an hour twice Java takes the first one, and so an hour later it is an hour less than it should be.
create macro as_timestamp(x, format, zone) as
    greatest(
        to_utc_timestamp(local_time(x, format), zone),
        to_utc_timestamp(local_time(x, format) + interval '1 hour', zone) - interval '1 hour'
    );

create macro as_instant(x) as
    case
        when rlike(x, '\A\d{4}-\d{2}-\d{2}[Tt ]([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-](0\d|1[0-4]):[0-5]\d)\z')
            and x between '0002' and '9999'
            then try_cast(upper(x) as timestamptz)
    end;

create macro local_day(moment, zone) as cast(from_utc_timestamp(moment, zone) as date);

create macro keyed_hash(x) as
    left(sha2(
        (select hmac_outer from hash_key) || unhex(sha2((select hmac_inner from hash_key) || encode(lower(clean(x)), 'UTF-8'), 256)), 256
    ), 32);
