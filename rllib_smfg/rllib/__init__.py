"""The thin layer that adapts the algorithm's mathematics to RLlib's new API stack."""
