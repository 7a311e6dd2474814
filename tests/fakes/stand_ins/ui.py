"""Stand-in for the service ui."""

from stand_in import main

main("ui")
