"""Training runs, below the tab: recipes, advice, curves, models."""
