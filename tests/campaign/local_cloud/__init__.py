"""A seeded campaign of SIGKILLs against the processes of the whole local cloud.

Functions host, Service Bus and Azurite die at random moments while connections are onboarded,
rotated, verified, discovered and offboarded over HTTP and by queue; each is started again a moment
later. Afterwards everything that was accepted must have ended, and tenant, vault and queues must
hold exactly what the connections need. `python -m tests.campaign.local_cloud --help` runs it.
"""
