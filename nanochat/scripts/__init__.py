"""The verbs of nanochat, each run from the tree's folder as `python -m scripts.NAME`."""
