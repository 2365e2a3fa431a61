"""What a larger population changes: `smfg convergence`."""
