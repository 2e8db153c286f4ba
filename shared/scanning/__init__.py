"""One run of discovery: chosen groups or roles, or whole kinds of entities."""
