"""Stand-in for the service trainer."""

from stand_in import main

main("trainer")
