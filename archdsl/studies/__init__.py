"""Studies: many candidates of one space are trained, and the best is written back as text.

A study is a folder, `runs/NAME`. One process, the supervisor, owns it; workers train candidates and give back
results. A study that was stopped or killed goes on when the same command is run again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archdsl.studies.study import KEYS, Study, open_study

if TYPE_CHECKING:
    from archdsl.studies.conduct import StudyResult, run, search

__all__ = ["KEYS", "Study", "StudyResult", "open_study", "run", "search"]


def __getattr__(name: str) -> Any:
    """What needs Optuna is imported when it is first asked for."""
    if name in ("StudyResult", "run", "search"):
        from archdsl.studies import conduct

        return getattr(conduct, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
