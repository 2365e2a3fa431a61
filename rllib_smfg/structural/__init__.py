"""Structural SMFRL: both sides learn from derivatives of the game's own arithmetic, without critics.

Plain torch, without Ray; `rllib_smfg.rllib.structural` makes it an RLlib Algorithm.
"""
