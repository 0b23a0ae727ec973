"""The player's code at work in a limited child process. Nothing here knows what is right."""
