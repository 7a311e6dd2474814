"""The dashboards as Python: each module describes one, `generate.py` writes them all."""
