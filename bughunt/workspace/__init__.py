"""The player's copy of the tree: made, compared, reset, rescued."""
