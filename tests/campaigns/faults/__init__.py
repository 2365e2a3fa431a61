"""Faults on purpose: kills, damaged checkpoints and bad inputs, counted (`python -m tests.campaigns.faults`)."""
