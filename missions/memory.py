"""How much memory this process has held at most."""

import re
import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """Return the most bytes this process held at once since its program began.

    Linux carries `ru_maxrss` over from the process that started this one (getrusage(2)), so that a small
    program started by a large one would look large; `VmHWM` (proc_pid_status(5)) begins with the program.
    Elsewhere `ru_maxrss` stands: in kilobytes, on macOS in bytes.
    """
    if STATUS.exists() and (told := re.search(r"^VmHWM:\s+(\d+) kB$", STATUS.read_text("ascii"), re.M)):
        return int(told[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
