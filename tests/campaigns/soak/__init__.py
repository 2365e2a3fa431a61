"""A long run while faults are injected: `python -m tests.campaigns.soak --minutes 120`; left out of the wheel."""
