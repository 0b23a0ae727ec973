"""`bughunt dev`: the tools of those who make the game."""
