-- One row per source, category, night of a forecast and week of its age, with the sums that its shares are of.
select
    source,
    category,
    made_on,
    age_weeks,
    units,
    forecast_units,
    forecast_units - units as bias_units,
    error_units,
    coverage * cast(series * days as double) as covered_days,
    series * days as series_days
from gold.forecast_accuracy
