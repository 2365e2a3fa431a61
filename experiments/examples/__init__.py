"""Short scripts that show one thing each; run them by their path."""
