"""`python -m tonesmith`: the same as the command `tonesmith`."""

from tonesmith.app import main

if __name__ == "__main__":
    main()
