"""Standard output holds what a command says and nothing a C library prints."""

import subprocess
import sys

import pytest

SAID = """
import ctypes
from missions.quiet import without_c_output
c = ctypes.CDLL(None)
print("before")
c.puts(b"shown before")
with without_c_output():
    c.puts(b"from within")
c.puts(b"shown after")
c.fflush(None)
print("after")
"""

CLOSED = """
import os
from missions.quiet import without_c_output
os.close(1)
with without_c_output():
    os._exit(7)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="asks the C library by its name")
def test_what_c_prints_within_is_kept_out_and_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", SAID], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split("\n")) == ["", "after", "before", "shown after", "shown before"]


def test_without_a_standard_output_the_work_goes_on() -> None:
    assert subprocess.run([sys.executable, "-c", CLOSED], check=False).returncode == 7
