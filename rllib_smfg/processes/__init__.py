"""Ray's session, signals and lost processes: what a training needs around it."""
