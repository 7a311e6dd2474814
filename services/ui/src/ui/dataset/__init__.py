"""Making and importing datasets, below the tab."""
