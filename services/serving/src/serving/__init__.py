"""serving: the launcher that runs vLLM behind a gate and keeps its adapters current.

This file imports nothing: the engine's environment loads `serving.engine` through it.
"""
