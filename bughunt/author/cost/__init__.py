"""What each bug costs, measured: whole runs of the tree's own recipe with the bug in, beside healthy ones.

The figures ship as `cost.json` beside each bug's patch. `python -m bughunt.author.cost` measures them again.
"""
