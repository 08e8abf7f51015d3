"""Who holds a study's folder: one supervisor and its workers, for as long as any of them lives."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

# How long a restart waits for the last worker of a supervisor that was killed.
PATIENCE = 20.0


class Lock:
    """An open file, locked for the life of this process and of the children that inherit it.

    The operating system lets go when the last of them ends, however it ends.
    """

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def close(self) -> None:
        os.close(self.handle)


def acquire(path: Path, patience: float = PATIENCE) -> Lock | None:
    """The lock on a file, made if need be; None if others hold it for all of `patience` seconds."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    deadline = time.monotonic() + patience
    while not _try(handle):
        if time.monotonic() > deadline:
            os.close(handle)
            return None
        time.sleep(0.1)
    return Lock(handle)


if sys.platform == "win32":
    import msvcrt

    def _try(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
