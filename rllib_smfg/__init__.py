"""Learning in Stackelberg mean-field games: SMFRL and its relatives on RLlib."""
