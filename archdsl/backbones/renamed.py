"""Old names of timm's models: `renamed.txt` has one in a line, and what timm calls it now.

    python -m archdsl.backbones.renamed

writes it, of the timm that is installed. An old name may have meant weights of its own: then their tag stands
behind a dot, `gluon_resnet50_v1b resnet50.gluon_in1k`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from archdsl.backbones.tags import of_library

TABLE = Path(__file__).with_name("renamed.txt")


@cache
def listed() -> Mapping[str, str]:
    """The table: what old names are now."""
    text = TABLE.read_text(encoding="utf-8")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {row[0]: row[1] for row in rows}


def of_timm() -> Mapping[str, str]:
    """The same of the timm that is installed; tags that it has no weights for are left out.

    Raises:
        ImportError: there is none.
    """
    from timm.models._registry import get_deprecated_models

    found: dict[str, str] = {}
    for old, now in sorted(get_deprecated_models().items()):
        if now is not None:
            base, _, tag = now.partition(".")
            found[old] = now if tag in of_library("timm", base) else base
    return found


if __name__ == "__main__":
    import timm

    told = "".join(f"{old} {now}\n" for old, now in of_timm().items())
    TABLE.write_text(f"# timm {timm.__version__}: old name, name now\n{told}", encoding="utf-8")
