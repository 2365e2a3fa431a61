"""`smfg report`: what a run, or a grid of runs, has shown, as one self-contained page."""
