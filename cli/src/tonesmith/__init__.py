"""The command line `tonesmith`: every step of the journey, from style cards to a chat."""

__version__ = "0.1.0"
