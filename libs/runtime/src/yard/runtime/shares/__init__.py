"""Connected file shares: named read-only trees, each a mounted directory or a prefix of a bucket."""

from yard.runtime.shares.connect import Shares, connect
from yard.runtime.shares.share import FILE_GONE, Share, ShareFile, gone
from yard.runtime.shares.values import Entry, Key, Page, Unusable, Wanted

__all__ = [
    "FILE_GONE",
    "Entry",
    "Key",
    "Page",
    "Share",
    "ShareFile",
    "Shares",
    "Unusable",
    "Wanted",
    "connect",
    "gone",
]
