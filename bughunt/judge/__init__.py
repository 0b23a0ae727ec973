"""The judge: has the player's code measured, and decides by what came back.

    draw inputs  →  measure in a limited child  →  check with pytest, where that code was never imported

`Judge` ties the three together; `Verdict` is what comes out.
"""

from bughunt.judge.judge import Judge
from bughunt.judge.verdict import Verdict, VerdictKind

__all__ = ["Judge", "Verdict", "VerdictKind"]
