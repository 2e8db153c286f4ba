"""Media types in which answers can be had, by the name that a query gives them."""

ACCOUNTS = {"json": "application/json", "csv": "text/csv", "ndjson": "application/x-ndjson"}
