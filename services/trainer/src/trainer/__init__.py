"""trainer: recipes, runs, export, the parity gate and promotion."""
