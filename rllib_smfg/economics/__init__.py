"""Questions to an economy: calibration, reforms, shocks, what policies are worth and how good constant ones can be."""
