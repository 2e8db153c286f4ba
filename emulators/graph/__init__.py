"""Microsoft Graph v1.0 and the Entra token endpoint, emulated with state."""
