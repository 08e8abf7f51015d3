"""Every mistake a spec can make: a class of facts and one sentence, a file a phase."""

from archdsl.errors.base import (
    ArchError,
    Diagnostic,
    Fix,
    Mistake,
    Severity,
    named,
    suggest,
)

__all__ = ["ArchError", "Diagnostic", "Fix", "Mistake", "Severity", "named", "suggest"]
