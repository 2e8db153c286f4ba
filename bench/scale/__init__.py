"""Discovery at scale: Keyturn against the least that a client can do, and against its peers.

The tenants of 10,000 and more users are the emulator's; every client runs in a process of its own
against the same server, over TLS, and its rows are compared with the tenant's own account of
itself. A run with wrong rows has no time.
"""
