"""The proof of a style, below the tab: evaluations and the arena."""
