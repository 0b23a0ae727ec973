"""What the bugs' measurements, checks and probes share, in two halves.

`measuring` is for `measure.py`: inputs, stand-ins and tiny runs, beside the code that is measured. `expected`
is for `check.py` and `probe.py`: the right answers, which are not to be had where that code runs. So
`measuring` and `measure.py` never import `expected`; the other way round is fine. Nothing in either imports
torch or the workspace before it is called.
"""
