"""Settings of every test: torch with one thread, since two processes with two each starve each other."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
