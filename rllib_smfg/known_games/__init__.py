"""What was learned in a game whose solution is known, beside that solution."""
