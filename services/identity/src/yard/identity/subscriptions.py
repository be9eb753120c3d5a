"""Events that identity listens to: none, because accounts depend on nobody."""

from yard.runtime.bus import Subscription


def subscriptions() -> tuple[Subscription, ...]:
    """The empty table."""
    return ()
