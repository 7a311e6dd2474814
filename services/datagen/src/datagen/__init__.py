"""datagen: style cards, questions, generation with gates, datasets, and the proof of style."""

__version__ = "0.1.0"
