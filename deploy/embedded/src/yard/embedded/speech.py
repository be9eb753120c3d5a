"""What the commands tell the person at the terminal."""

import sys


def say(text: str) -> None:
    """A line, at once: the other end may be a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """A line to standard error."""
    sys.stderr.write(text + "\n")
