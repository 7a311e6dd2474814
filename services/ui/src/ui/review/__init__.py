"""The review of a dataset, below the tab."""
