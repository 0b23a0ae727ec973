"""Measures the contract itself: which code a clause is about, and which bugs and repairs break it."""
