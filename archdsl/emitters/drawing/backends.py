"""Graphviz where there is one: `dot` on the path, else the one that pygraphviz's wheels carry.

Both run as a process of their own: what goes wrong in there, a drawing that takes for ever
included, ends as a sentence.
"""

from __future__ import annotations

import html
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

SECONDS = 120
DOTS_PER_INCH = 144  # of PNG: sharp on today's screens

# DOT on standard input, a drawing of the format named by the argument on standard output.
_FILTER = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
engine = dict(graph.graph_attr.iteritems()).get("layout") or "dot"
if sys.argv[1] == "png":
    graph.graph_attr["dpi"] = sys.argv[2]
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog=engine))
"""

# The machine's fonts, and the one family that matplotlib carries: small containers have none.
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">{machine}</include>
  <dir>{carried}</dir>
  <cachedir>{cache}</cachedir>
  <alias><family>Helvetica</family><default><family>DejaVu Sans</family></default></alias>
</fontconfig>
"""

# How the files of each format begin.
_STARTS = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


def render(text: str, format: str) -> bytes | str:
    """DOT drawn as `svg`, `png` or `pdf`; a string says why nothing could draw it."""
    reason = "as there is no Graphviz"
    with tempfile.TemporaryDirectory(prefix="archdsl-") as folder:
        environment = os.environ | _fonts(Path(folder))
        for command in _commands(format):
            try:
                done = subprocess.run(
                    command,
                    input=text.encode(),
                    capture_output=True,
                    timeout=SECONDS,
                    check=False,
                    env=environment,
                )
            except subprocess.TimeoutExpired:
                reason = f"as Graphviz took longer than {SECONDS} seconds"
                continue
            except OSError:
                continue
            if done.returncode == 0 and done.stdout.startswith(_STARTS[format]):
                return done.stdout
            reason = "as Graphviz failed"
    return reason


def _commands(format: str) -> Iterator[list[str]]:
    if dot := shutil.which("dot"):
        yield [dot, f"-T{format}", *([f"-Gdpi={DOTS_PER_INCH}"] if format == "png" else [])]
    if sys.executable and importlib.util.find_spec("pygraphviz"):
        # -P: a file in the current folder is never taken for a library.
        yield [sys.executable, "-P", "-c", _FILTER, format, str(DOTS_PER_INCH)]


def _fonts(folder: Path) -> dict[str, str]:
    """Variables for a process that finds a font on every machine."""
    matplotlib = importlib.util.find_spec("matplotlib")
    if matplotlib is None or matplotlib.origin is None:
        return {}
    places = {
        "machine": os.environ.get("FONTCONFIG_FILE", "/etc/fonts/fonts.conf"),
        "carried": str(Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf"),
        "cache": str(folder),
    }
    file = folder / "fonts.conf"
    file.write_text(_FONTS.format(**{name: html.escape(place) for name, place in places.items()}))
    return {"FONTCONFIG_FILE": str(file)}
