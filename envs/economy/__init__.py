"""An economy of one government and N households, built on microfoundations (Mi et al., arXiv 2309.16307, 2403.12093)."""
