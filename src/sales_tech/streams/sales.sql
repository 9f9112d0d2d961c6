-- One row per line of an order event. A return is an order of its own whose lines count negative; a cancellation
-- says nothing of a line but that it is cancelled, and takes the rest from what was stated before.
select
    e.order_id,
    e.line,
    e.ordered_at as sold_at,
    e.ordered_at_local_date as sold_on,
    e.store_id,
    lower(e.channel) as channel,
    e.sku,
    e.customer_tax_id as customer_key,
    e.customer_state,
    case when e.event_type = 'item_returned' then -e.quantity else e.quantity end as quantity,
    e.unit_price,
    case when e.event_type = 'item_returned' then -e.discount else e.discount end as discount,
    e.freight,
    e.currency,
    e.promotion_id,
    case e.event_type
        when 'order_placed' then 'sold'
        when 'item_returned' then 'returned'
        when 'order_cancelled' then 'cancelled'
    end as status
from order_events as e
