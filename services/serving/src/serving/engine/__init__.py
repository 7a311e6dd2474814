"""Code of ours that runs inside vLLM's environment; it imports nothing else of ours."""
