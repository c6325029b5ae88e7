"""What a C library prints on standard output is kept out of it: there the command's one JSON value goes."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STDOUT = 1


@contextmanager
def without_c_output() -> Iterator[None]:
    """Discard what C code prints on standard output; Python's own prints of this time are discarded too.

    HiGHS, as SciPy 1.17 has it, prints a line that no option silences each time that a solution of its
    presolved problem has to be mended.
    """
    try:
        kept = os.dup(STDOUT)
    except OSError:  # there is none
        yield
        return
    sys.stdout.flush()
    _flush_c()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDOUT)
    os.close(nowhere)
    try:
        yield
    finally:
        _flush_c()
        os.dup2(kept, STDOUT)
        os.close(kept)


def _flush_c() -> None:
    """Write out what C holds back: it would come after its time is over."""
    if os.name == "posix":
        ctypes.CDLL(None).fflush(None)
