"""Files, folders and disks: what survives a kill at any instant, and what is said where it cannot be had."""
