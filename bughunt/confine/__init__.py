"""How Linux holds a process: what it may touch, whom it may reach, what it can become.

Each module is one means, and each works without root. What the system lacks is said by whoever asks:
nothing here pretends.
"""
