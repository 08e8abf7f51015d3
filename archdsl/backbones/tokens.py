"""Transformers of timm whose maps have the class token beside each pixel."""

from __future__ import annotations

from typing import Any

import torch
from timm.models._features import FeatureGetterNet
from torch import Tensor


class WithClassToken(FeatureGetterNet):
    """timm's features, each map joined along the channels by the class token that left the block with it."""

    def forward(self, x: Tensor) -> list[Tensor]:
        model: Any = self.model
        found = model.forward_intermediates(
            x,
            indices=self.out_indices,
            norm=self.norm,
            return_prefix_tokens=True,
            output_fmt=self.output_fmt,
            intermediates_only=True,
        )
        # Registers and the like come behind the class token.
        return [
            torch.cat([level, tokens[:, 0, :, None, None].expand_as(level)], 1) for level, tokens in found
        ]
