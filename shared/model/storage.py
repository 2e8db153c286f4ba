"""Names of the tables that the ledger is kept in; Bicep makes these (infra/tables.json)."""

PREFIX = "keyturn"
TABLES = ("connections", "operations", "history", "due", "leases", "refusals", "rates", "marks")


def tables() -> list[str]:
    """Their full names."""
    return [PREFIX + name for name in TABLES]
