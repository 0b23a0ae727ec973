"""What is right: reference answers, computed from inputs without the workspace and without torch."""
