"""What measurements are made of: random inputs, stand-ins for parts of the tree, tiny runs of it."""
