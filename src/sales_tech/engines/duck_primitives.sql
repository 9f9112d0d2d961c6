-- The primitives that turn a file's text into types. Each gives null where the text is not of the type.

-- Text without surrounding blanks (what Python calls whitespace, no-break spaces and tabs too); blank text is null.
-- Text that begins and ends with a visible ASCII character, as most does, passes without the slower pattern.
create macro clean(x) as
    case
        when x > '!' and x < '~' and ord(x[-1]) between 33 and 126 then x
        else nullif(regexp_replace(x, '^[\t-\r\x{1c}-\x{1f}\x{85}\p{Z}]+|[\t-\r\x{1c}-\x{1f}\x{85}\p{Z}]+$', '', 'g'), '')
    end;

-- A number's text with '.' as its decimal mark: mark '.' reads 1234.5, mark ',' reads 1234,5 and 1.234,5, but not 0.123, which no
-- one writes for 123.
-- Null where it has more than `scale` decimals, since a cast would round them away in silence, and where
-- it is anything but sign, digits and marks: a cast would also read 1e-3 (rounded to 0) and 1_000. Plain amounts, as
-- most are, pass first by a simpler pattern.
create macro plain_number(x, mark, scale) as
    case
        when mark = ',' and scale >= 2 and regexp_full_match(x, '\d+(,\d\d)?') then replace(x, ',', '.')
        when mark = ',' and regexp_full_match(x, '[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+)?(,\d{0,' || scale || '}0*)?')
            then replace(replace(x, '.', ''), ',', '.')
        when mark = '.' and regexp_full_match(x, '[+-]?\d*(\.\d{0,' || scale || '}0*)?') then x
    end;

-- A whole number, also one with decimals that are all 0. Null for 1.000 and 1,000, which may mean a thousand or one.
create macro as_integer(x) as
    case
        when regexp_full_match(x, '[+-]?\d{1,18}') then cast(x as bigint)
        when regexp_full_match(x, '[+-]?\d{1,3}[.,]000') then null
        when regexp_full_match(x, '[+-]?\d{1,18}[.,]0+') then cast(split_part(replace(x, ',', '.'), '.', 1) as bigint)
    end;

create macro as_boolean(x) as
    case
        when lower(x) in ('true', 't', 'yes', 'y', '1', 'sim', 's') then true
        when lower(x) in ('false', 'f', 'no', 'n', '0', 'não', 'nao') then false
    end;

-- try_strptime reads infinity and epoch as the first moment of 1900 by any format, and 20 as the year 20 where four digits
-- were meant. The first moment of the year 1000 and all before count as no time.
create macro local_time(x, format) as
    nullif(
        greatest(
            try_strptime(case when length(x) > 9 or lower(trim(x)) not in ('infinity', '-infinity', 'epoch') then x end, format),
            timestamp '1000-01-01'
        ),
        timestamp '1000-01-01'
    );

create macro as_date(x, format) as cast(local_time(x, format) as date);

-- The instant of a local time in a zone. An hour that a clock shows twice is taken for the second one.
create macro as_timestamp(x, format, zone) as timezone(zone, local_time(x, format));

-- An instant by RFC 3339 in the years 2 to 9998, always with its offset from UTC. Beyond 14 hours there is none on Earth.
create macro as_instant(x) as
    case
        when regexp_full_match(x, '\d{4}-\d{2}-\d{2}[Tt ]([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-](0\d|1[0-4]):[0-5]\d)')
            and x between '0002' and '9999'
            then try_cast(upper(x) as timestamptz)
    end;

-- The day that a zone's calendar shows at an instant.
create macro local_day(moment, zone) as cast(timezone(zone, moment) as date);

-- HMAC-SHA256 (RFC 2104) of the trimmed lower-case text, its first 128 bits in hexadecimal.
create macro keyed_hash(x) as
    left(sha256(getvariable('hmac_outer') || unhex(sha256(getvariable('hmac_inner') || encode(lower(clean(x)))))), 32);
