"""An experiment as YAML says it: sections, bounds, overrides."""
