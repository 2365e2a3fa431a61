"""Several trainings at once on Ray Tune: trials of a grid, searches of settings."""
