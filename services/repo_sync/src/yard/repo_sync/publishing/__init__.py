"""A file becomes a commit on a branch."""

from yard.repo_sync.publishing.looking import look
from yard.repo_sync.publishing.pushing import publish

__all__ = ["look", "publish"]
