"""Does SMFRL find the equilibrium? Trained policies against the exact solutions of the known games."""
