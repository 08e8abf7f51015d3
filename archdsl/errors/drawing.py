"""What can be said when a drawing can't be finished here."""

from __future__ import annotations

from archdsl.errors.base import Mistake, Severity


class NotDrawn(Mistake):
    """No Graphviz was found, or what was found could not draw this: the DOT text was written instead."""

    code = "W090"
    severity = Severity.ADVICE
    wanted: str
    written: str
    reason: str

    def message(self) -> str:
        return f"`{self.wanted}` could not be drawn, {self.reason}; the drawing is in `{self.written}`"

    def help(self) -> str:
        return 'Graphviz comes with `pip install "archdsl[render]"`; or open the file in any DOT viewer'
