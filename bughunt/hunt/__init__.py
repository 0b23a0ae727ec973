"""One player's game behind one object: state, progress, score."""
