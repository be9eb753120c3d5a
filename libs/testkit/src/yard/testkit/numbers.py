"""Numbers in pictures: `burn` writes one, `read` gets it back from any upright copy of the picture."""

from yard.media.synthetic import burn, read

__all__ = ["burn", "read"]
