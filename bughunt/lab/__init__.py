"""What measurements share: random texts and stand-ins. Imported by `measure.py` files, in both processes;
nothing here imports the workspace or torch."""
