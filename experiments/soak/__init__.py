"""A long run while faults are injected: `python -m experiments.soak --minutes 120`; left out of the wheel."""
