"""The recipe stages of the language, by word."""

from __future__ import annotations

from archdsl.stage import Stage
from archdsl.stages.context import Context
from archdsl.stages.encoder import Encoder
from archdsl.stages.head import Head
from archdsl.stages.neck import Neck
from archdsl.stages.skip import Skip
from archdsl.stages.up import Up

STAGES: dict[str, type[Stage]] = {stage.name: stage for stage in (Encoder, Context, Neck, Skip, Up, Head)}
