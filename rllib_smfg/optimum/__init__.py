"""The search for the best government among families of rules, with and without commitment."""
