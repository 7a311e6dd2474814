"""The page on which people use Tonesmith: `python -m ui`, then open http://127.0.0.1:7860."""

VERSION = "0.1.0"
