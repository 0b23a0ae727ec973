"""The judge: measures the player's code in a child process, checks the measurement in its own.

    draw inputs  →  measure in a limited child  →  check with pytest, where that code was never imported

`Judge` ties the three together; `Verdict` is what comes out.
"""

from bughunt.judge.judge import Judge
from bughunt.judge.verdict import Verdict, VerdictKind
from bughunt.measure.measurer import lanes_here
from bughunt.measure.outcomes import Failure, Measurement, Outcome, Stopped

__all__ = ["Failure", "Judge", "Measurement", "Outcome", "Stopped", "Verdict", "VerdictKind", "lanes_here"]
