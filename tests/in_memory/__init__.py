"""Steps, whole chains and calls of the API, in memory."""
