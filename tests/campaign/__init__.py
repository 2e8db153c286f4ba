"""A seeded simulation of the real steps: years of faults, crashes and hand-made changes.

The steps, planners and sweeps of the product run against the in-memory ports with a virtual
clock. Every call may fail, be late, lose its answer, or be the last that its process makes.
`python -m tests.campaign --help` runs it; what it checks is in `invariants.py`.
"""
