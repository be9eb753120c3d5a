"""How a fetch ends badly: for good, or worth another try. Messages never hold a query or a header."""

from yard.runtime import errors


class Refused(errors.FailedPrecondition):
    """It cannot be had from there, however often one asks."""


class Cut(errors.Unavailable):
    """It may go better next time, `retry_after_s` from now if the server has said so."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, reason="EGRESS_CUT")
        self.retry_after_s = retry_after_s
