"""Peak memory counts from the start of the program, whoever started it."""

import subprocess
import sys

from missions.memory import peak_bytes

HELD = 200_000_000


def test_what_is_held_counts():
    before = peak_bytes()
    held = bytearray(HELD)
    held[::4096] = bytes([1]) * len(held[::4096])
    assert peak_bytes() >= max(before, HELD)


def test_a_small_program_started_by_a_large_one_is_small():
    held = bytearray(HELD)
    held[::4096] = bytes([1]) * len(held[::4096])
    program = "from missions.memory import peak_bytes; print(peak_bytes())"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(told.stdout) < HELD / 2
