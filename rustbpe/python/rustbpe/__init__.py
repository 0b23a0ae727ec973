"""Train a byte-pair-encoding tokenizer, and encode with it.

tokenizer = rustbpe.Tokenizer()
tokenizer.train_from_iterator(documents, vocab_size=32768)
tokenizer.encode("hello")
"""

from rustbpe.tokenizer import DEFAULT_PATTERN, Tokenizer

__all__ = ["DEFAULT_PATTERN", "Tokenizer"]
