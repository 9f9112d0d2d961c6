"""The same work, from landed `erp_br` exports to gold tables, by other tools as a skilled user of each would write it.

Each module is a program: `python landing_to_gold_peers/<name>.py --landing FOLDER --out FOLDER --memory 1GB --threads 2`.
What each of them does:

- bronze: every line of every file as text, with the name of its file, as Parquet;
- silver: products as periods, stores in their latest version; sales typed, hashed (HMAC-SHA256 of the customer), with
  SKUs and stores looked up, lines that cannot be right set aside with a reason, and the latest version of each order line;
- gold: daily_sales, kpis_daily, orders_daily, product_performance, stores and customer_value.

None of them keeps an archive, line numbers, accounts, snapshots or checks of what it wrote.
"""
