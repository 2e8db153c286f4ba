"""Microsoft's storage emulator Azurite, run as it is, from a pinned npm package."""
