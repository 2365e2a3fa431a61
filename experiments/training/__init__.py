"""A training, seed by seed: what it shows, logs, keeps and sums up."""
