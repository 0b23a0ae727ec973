"""bughunt: a command-line game about finding and repairing the bugs in a small LLM code base."""

__version__ = "0.1.0"
