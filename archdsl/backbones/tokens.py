"""Transformers of timm whose maps have prefix tokens beside each pixel."""

from __future__ import annotations

from typing import Any

import torch
from timm.models._features import FeatureGetterNet
from torch import Tensor


class WithTokens(FeatureGetterNet):
    """timm's features, each map joined along the channels by tokens that left the block with it.

    Attributes:
        class_token: whether by the class token.
        mean_token: whether by the mean of all tokens that stand before the pixels: the class token, that of
            distillation, registers.
    """

    class_token = mean_token = False

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
        return [torch.cat([level, *self._spread(tokens, level)], 1) for level, tokens in found]

    def _spread(self, tokens: Tensor, level: Tensor) -> list[Tensor]:
        """What each pixel of a level gets, of tokens that are B×N×C."""
        first = [tokens[:, 0]] if self.class_token else []  # the others come behind the class token
        mean = [tokens.mean(1)] if self.mean_token else []
        return [token[:, :, None, None].expand_as(level) for token in (*first, *mean)]
