-- The primitives that turn a file's text into types. Each gives null where the text is not of the type.

-- Text without surrounding blanks; blank text is null.
create macro clean(x) as nullif(trim(x), '');

-- A number's text with '.' as its decimal mark: mark '.' reads 1234.5, mark ',' reads 1234,5 and 1.234,5.
-- Null where it has more than `scale` decimals, since a cast would round them away in silence.
create macro plain_number(x, mark, scale) as
    case
        when mark = ',' and contains(x, '.') and not regexp_full_match(x, '[+-]?\d{1,3}(\.\d{3})+(,\d+)?') then null
        when mark = ',' and length(rtrim(split_part(x, ',', 2), '0')) > scale then null
        when mark = '.' and length(rtrim(split_part(x, '.', 2), '0')) > scale then null
        when mark = ',' then replace(replace(x, '.', ''), ',', '.')
        else x
    end;

create macro as_integer(x) as
    case
        when regexp_full_match(x, '[+-]?\d{1,18}') then cast(x as bigint)
        when regexp_full_match(x, '[+-]?\d{1,18}[.,]0+') then cast(split_part(replace(x, ',', '.'), '.', 1) as bigint)
    end;

create macro as_boolean(x) as
    case
        when lower(x) in ('true', 't', 'yes', 'y', '1', 'sim', 's') then true
        when lower(x) in ('false', 'f', 'no', 'n', '0', 'não', 'nao') then false
    end;

create macro as_date(x, format) as cast(try_strptime(x, format) as date);

-- The instant of a local time in a zone.
create macro as_timestamp(x, format, zone) as timezone(zone, try_strptime(x, format));

-- HMAC-SHA256 (RFC 2104) of the trimmed lower-case text, its first 128 bits in hexadecimal.
create macro keyed_hash(x) as
    left(sha256(getvariable('hmac_outer') || unhex(sha256(getvariable('hmac_inner') || encode(lower(trim(x)))))), 32);
