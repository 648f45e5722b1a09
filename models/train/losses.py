"""CLIP's loss with soft targets, and classification against the label names of the photo's own source."""

from __future__ import annotations

import torch


def contrastive(image: torch.Tensor, text: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """image (B,D), text (U,D), unit length; weight (B,U) >= 0. Symmetric cross-entropy over true pairs."""
    logits = scale * image @ text.T
    rows = weight / weight.sum(1, keepdim=True).clamp(min=1e-6)
    columns = weight / weight.sum(0, keepdim=True).clamp(min=1e-6)
    to_text = -(rows * logits.log_softmax(1)).sum(1).mean()
    to_image = -(columns * logits.log_softmax(0)).sum(0).mean()
    return (to_text + to_image) / 2


def classify(
    image: torch.Tensor, bank: torch.Tensor, label: torch.Tensor, allowed: torch.Tensor, scale: float, smoothing: float = 0.1
) -> torch.Tensor:
    """image (B,D), bank (Labels,D) unit length; cross-entropy over the allowed labels, for photos that have one."""
    has = label >= 0
    logits = (scale * image[has] @ bank.T).masked_fill(~allowed[has], -1e4)
    logp = logits.log_softmax(1)
    hit = -logp.gather(1, label[has, None])[:, 0]
    even = -(logp * allowed[has]).sum(1) / allowed[has].sum(1)
    return ((1 - smoothing) * hit + smoothing * even).sum() / max(len(label), 1)
