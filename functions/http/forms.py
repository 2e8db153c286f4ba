"""Media types in which answers can be had, by the name that a query gives them."""

ROWS = {"json": "application/json", "csv": "text/csv", "ndjson": "application/x-ndjson"}
ACCOUNTS = {"json": "application/json", "csv": "text/csv", "ndjson": "application/x-ndjson"}
