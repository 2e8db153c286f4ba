"""The ledger's contract, on the fake and on the real one with Microsoft's storage emulator."""
