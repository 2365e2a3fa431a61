"""Faults on purpose: kills, damaged checkpoints and bad inputs, counted (`python -m experiments.faults`)."""
