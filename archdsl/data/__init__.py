"""Data sets: a folder of images and masks, or of a folder of images for each class.

    DIR/{train,val,test}/images/NAME.png    DIR/{train,val,test}/CLASS/NAME.jpg
    DIR/{train,val,test}/masks/NAME.png

Without the folders of the splits, a fifth of the images is kept for validation. dataset.json in DIR may name
the classes (see `archdsl.data.datasheet`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archdsl.data.datasheet import Normalisation
from archdsl.data.description import Description, describe

if TYPE_CHECKING:
    from archdsl.data.loading import Data, load

__all__ = ["Data", "Description", "Normalisation", "describe", "load"]


def __getattr__(name: str) -> Any:
    """What needs torch is imported when it is first asked for."""
    if name in ("Data", "load"):
        from archdsl.data import loading

        return getattr(loading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
