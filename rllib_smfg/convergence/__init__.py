"""What a larger population changes: the leader's gain and the spread between episodes."""
