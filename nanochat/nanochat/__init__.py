"""nanochat: a small, complete language model code base, from the tokenizer to the chat."""
