"""Stand-in for the service serving."""

from stand_in import main

main("serving")
