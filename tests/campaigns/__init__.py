"""How this project tries itself out: faults, soak, goals of speed, documentation pictures; not in the wheel."""
