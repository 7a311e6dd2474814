"""datagen: style cards, questions, generation with gates, datasets, and the proof of style."""
