"""Files that are whole or refused: folders and who works in them, buckets, checkpoints."""
