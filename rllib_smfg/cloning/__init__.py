"""Behaviour cloning (arXiv 2403.12093, section 4.1): households fitted to the Survey of Consumer Finances."""
