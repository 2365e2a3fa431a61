"""Settings as YAML writes them: sections made of the settings classes, files with a base, overrides."""
