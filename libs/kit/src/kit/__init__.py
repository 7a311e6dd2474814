"""The uniform face of Tonesmith's FastAPI services."""
