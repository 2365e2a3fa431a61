"""One module a question: what `smfg` computes, prints and keeps for each."""
