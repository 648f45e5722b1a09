"""ViLT for question answering as one graph: text and image patches of one photo through one transformer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blip_graphs import LOWEST


class Classifier(nn.Module):
    """
    input_ids, attention_mask, token_type_ids (B, T); pixel_values (B, 3, H, W), pixel_mask (B, H, W) -> logits (B, A).
    Every photo fills its pixels (no padding to a larger neighbour), so position embeddings are stretched over all of
    H x W, as the reference does with a mask of ones.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.vilt, self.classifier = model.vilt, model.classifier
        config = model.config
        self.side, self.patch = config.image_size // config.patch_size, config.patch_size

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor, pixel_values: Tensor, pixel_mask: Tensor
    ) -> Tensor:
        embeddings = self.vilt.embeddings
        kinds = embeddings.token_type_embeddings.weight
        text = embeddings.text_embeddings(input_ids=input_ids, token_type_ids=token_type_ids) + kinds[0]
        patches = embeddings.patch_embeddings.projection(pixel_values)
        positions = embeddings.position_embeddings
        grid = positions[:, 1:].transpose(1, 2).reshape(1, -1, self.side, self.side)
        grid = nn.functional.interpolate(grid, size=patches.shape[2:], mode="bilinear", align_corners=True)
        image = (patches + grid).flatten(2).transpose(1, 2)
        start = (embeddings.cls_token + positions[:, :1]).expand(image.shape[0], -1, -1)
        image = torch.cat([start, image], 1) + kinds[1]
        states = torch.cat([text, image], 1)
        seen = pixel_mask[:, :: self.patch, :: self.patch].flatten(1)
        visible = torch.cat([attention_mask, torch.ones_like(seen[:, :1]), seen], 1)
        mask = (1.0 - visible[:, None, None, :].to(states.dtype)) * LOWEST
        for layer in self.vilt.encoder.layer:
            states = layer(states, mask)[0]
        return self.classifier(self.vilt.pooler(self.vilt.layernorm(states)))
