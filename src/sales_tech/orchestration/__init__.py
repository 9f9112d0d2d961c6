"""Steps in their order, what is stale, and their notebooks run by papermill."""
