-- One row per source, category and depth of discount that was tried; weighted, so that categories may be averaged.
select
    source,
    category,
    cast(round(cast(discount_share as double) * 100) as bigint) as depth,
    evidence,
    uplift,
    uplift_low,
    uplift_high,
    elasticity,
    elasticity_low,
    elasticity_high,
    promotions,
    greatest(promotions, 1) as weight,
    uplift * cast(greatest(promotions, 1) as double) as weighted_uplift,
    elasticity * cast(greatest(promotions, 1) as double) as weighted_elasticity
from gold.price_elasticity
where brand = 'all' and discount_share > 0 and uplift is not null and elasticity is not null
