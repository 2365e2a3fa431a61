"""`smfg compare CONFIG`: several policies in the same episodes, side by side."""
