"""Grids of runs: the paper's tables and figures, one tidy file of results each."""
