"""The main job on real media, from the first login to the exported archives, in plain words."""

from yard.embedded.demo.story import run

__all__ = ["run"]
