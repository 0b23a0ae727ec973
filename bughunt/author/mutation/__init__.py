"""How good the contract is: mutants of the tree, and which of them its clauses notice."""
