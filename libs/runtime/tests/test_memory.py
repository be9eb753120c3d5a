"""Large blocks that are freed leave the process, in whatever order and thread they are freed."""

import subprocess
import sys

PROBE = """
import sys, threading, psutil
from yard.runtime.app.memory import give_back_large_blocks

if sys.argv[1] == "bounded":
    assert give_back_large_blocks()

def churn():
    bytearray(24 << 20)  # this is what raises glibc's own bound
    for _ in range(8):
        held = [bytearray(b"x") * (4 << 20) for _ in range(8)]
        pins.append(bytearray(b"x") * (100 << 10))
        del held

pins = []
threads = [threading.Thread(target=churn) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(psutil.Process().memory_full_info().uss >> 20)
"""


def held_mib(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROBE, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_freed_blocks_leave_the_process() -> None:
    assert held_mib("bounded") + 30 < held_mib("as it is")
