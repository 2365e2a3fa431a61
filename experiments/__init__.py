"""What a person runs: the command `smfg`, its configurations, comparisons and figures."""
