"""Has the process that owns the measuring server gone, so that it cannot clear up itself?"""

from __future__ import annotations

import os
import time


def is_gone(owner: int) -> bool:
    """Was the parent process `owner` killed? Its end shows a moment later."""
    for _ in range(20):
        if os.getppid() != owner:
            return True
        time.sleep(0.01)
    return False
