"""What a person waits for: `archdsl check` on one line, beside importing a peer.

python -m benchmarks.check
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.timing import least_process, machine, table

LINE = "encoder effnet_b0 | skip nested depth=4 | up transpose | head 1x1 out=2\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder, "line.arch")
        spec.write_text(LINE)
        archdsl = [sys.executable, "-m", "archdsl"]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "archdsl check line.arch": [*archdsl, "check", str(spec)],
            "archdsl summary line.arch": [*archdsl, "summary", str(spec)],
            "archdsl --help": [*archdsl, "--help"],
            "import torch": [sys.executable, "-c", "import torch"],
            "import segmentation_models_pytorch": [
                sys.executable,
                "-c",
                "import segmentation_models_pytorch",
            ],
        }
        print(machine())
        seconds = least_process(commands, rounds=5)
        table("whole processes, processor time", seconds, against="import segmentation_models_pytorch")


if __name__ == "__main__":
    main()
