"""Files kept with git LFS: pointers, attributes, and sending them.

Locks of LFS are left alone: nobody works on the one file that is published here.
"""

from yard.repo_sync.lfs.attributes import Above, with_attributes
from yard.repo_sync.lfs.config import check_config
from yard.repo_sync.lfs.door import Door, Reach
from yard.repo_sync.lfs.pointer import Pointer, pointer, read_pointer
from yard.repo_sync.lfs.sending import probe, send

__all__ = [
    "Above",
    "Door",
    "Pointer",
    "Reach",
    "check_config",
    "pointer",
    "probe",
    "read_pointer",
    "send",
    "with_attributes",
]
