"""What a process has let go of goes back to the machine."""

import ctypes

LARGE_BYTES = 1 << 20
_M_MMAP_THRESHOLD = -3  # of malloc.h


def give_back_large_blocks() -> bool:
    """Makes each block of 1 MiB or more a mapping of its own, which ends with it; False if malloc cannot.

    By itself glibc raises that bound with the first large block that is freed, and then keeps blocks of up to
    32 MiB in a heap for each thread, of which it returns only the end: a service that has taken in a gigabyte
    would stay twice as large as one that has not.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES))
    except AttributeError:  # another C library
        return False
