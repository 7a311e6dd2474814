"""Stand-in for the service datagen."""

from stand_in import main

main("datagen")
