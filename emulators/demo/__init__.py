"""``make demo``: five products onboarded on the local cloud, from nothing to verified secrets."""
