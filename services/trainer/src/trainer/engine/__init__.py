"""What runs inside the LLaMA-Factory environment; it imports nothing of ours but itself."""
