"""What tests share that run the command in this process."""

from collections.abc import Callable

from click.testing import Result

Run = Callable[..., Result]
