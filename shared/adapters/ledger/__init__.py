"""The parts of the table ledger, one noun a module."""
