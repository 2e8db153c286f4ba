"""Checks the Bicep files without the Bicep CLI, and that the repository agrees with them."""
