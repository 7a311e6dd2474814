"""What the page keeps of each person, in SQLite: conversations, votes that wait."""
