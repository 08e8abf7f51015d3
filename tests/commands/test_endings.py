"""How a call ends when the world outside does not play along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ARCHDSL = [sys.executable, "-m", "archdsl"]
GOOD = "encoder effnet_b0 | skip nested depth=4 | up transpose | head 1x1 out=2\n"


def test_a_reader_that_has_gone_ends_it_in_silence():
    read_end, write_end = os.pipe()
    os.close(read_end)
    ended = subprocess.run([*ARCHDSL, "--help"], stdout=write_end, stderr=subprocess.PIPE)
    os.close(write_end)
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_behind_the_standard_output_is_told():
    with open("/dev/full", "wb") as full:
        ended = subprocess.run([*ARCHDSL, "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 2
    assert ended.stderr == "error[E424]: `standard output` cannot be written: No space left on device\n"


def test_an_interrupt_ends_with_130_and_no_traceback(tmp_path: Path):
    pipe = tmp_path / "a.arch"
    os.mkfifo(pipe)
    # What runs in the background of a script ignores the signal, and so would all that it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        call = subprocess.Popen([*ARCHDSL, "fmt", str(pipe)], stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    with open(pipe, "w"):  # opens when the call opens its end: it now waits for a text
        call.send_signal(signal.SIGINT)
    _, told = call.communicate(timeout=60)
    assert (call.returncode, told.strip()) == (130, "archdsl: interrupted")


@pytest.mark.parametrize("command", ["check", "compile", "summary", "show"])
@pytest.mark.parametrize("spec", ["none.arch", ".", "\udcff.arch"])
def test_no_path_makes_a_traceback(archdsl, command, spec):
    ended = archdsl(command, spec)
    assert ended.code == 2
    assert "Traceback" not in ended.out + ended.err
