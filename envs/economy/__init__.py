"""An economy of one government and N households built on microfoundations (arXiv 2309.16307 and 2403.12093)."""
