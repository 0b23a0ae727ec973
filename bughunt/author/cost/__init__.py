"""What each bug costs, measured: whole runs of the tree's own recipe with the bug in, beside healthy ones.

What is run, and looked at, to tell what a bug costs is its folder's `cost.py`, with a function
`cost(runs: PairedRuns) -> Cost`. The figures ship as `cost.json` beside it. `bughunt dev cost` measures them
again.
"""
