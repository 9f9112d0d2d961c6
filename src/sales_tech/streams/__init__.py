"""The event stream: what an order event promises, and how its lines become sales."""
