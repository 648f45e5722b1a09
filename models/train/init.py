"""Starts a run from earlier weights: a checkpoint, or the ONNX files of a shipped pack."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn as nn
from onnx import TensorProto, numpy_helper

from .photos import Photos, normalise
from .towers import Clip, ImageTower


def vocabulary_of(source: Path) -> Path:
    return (source if source.is_dir() else source.parent) / "tokenizer.json"


def initial(source: Path, photos: Photos, vocabulary: int) -> dict[str, torch.Tensor]:
    """state_dict of Clip, fp32, from average.pt or a pack folder."""
    if source.is_file():
        return {k: v.float() if v.dtype.is_floating_point else v for k, v in torch.load(source, weights_only=True).items()}
    model = Clip(vocabulary)
    text = weights(source / "onnx/text_model.onnx")
    model.text.load_state_dict({name: text[name] for name in model.text.state_dict()})
    unfold(model.image, weights(source / "onnx/vision_model.onnx"), photos)
    scale = json.loads((source / "pack.json").read_text())["scoring"]["logitScale"]
    model.scale.data.fill_(math.log(scale))
    return model.state_dict()


def weights(path: Path) -> dict[str, torch.Tensor]:
    """Initializers by the name they have in towers.py, fp32; those stored transposed (".T") turned back."""
    out = {}
    for tensor in onnx.load(str(path)).graph.initializer:
        if tensor.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16):
            value, name = torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32)), tensor.name.removesuffix("_fp16")
            out[name.removesuffix(".T")] = value.T if name.endswith(".T") else value
    return out


@torch.no_grad()
def unfold(tower: ImageTower, folded: dict[str, torch.Tensor], photos: Photos) -> None:
    """Loads convolutions into which BatchNorm was folded, and gives each BatchNorm back what it would undo.

    A BatchNorm whose scale is the deviation of its input and whose shift is its mean changes nothing, so the
    function is the pack's own. Mean and deviation are measured on 256 photos, layer after layer.
    """
    tower.head.load_state_dict({"weight": folded["head.weight"], "bias": folded["head.bias"]})
    train = [i for i, r in enumerate(photos.rows) if r.get("split") == "train"]
    pick = np.random.default_rng(0).choice(train, 256, replace=False)
    x = normalise(photos.batch(pick, 96, None))

    def fill(conv: nn.Conv2d, norm: nn.BatchNorm2d, name: str, into: torch.Tensor) -> torch.Tensor:
        conv.weight.copy_(folded[name + ".weight"])
        y, bias = conv(into), folded[name + ".bias"]
        norm.running_mean.copy_(y.mean((0, 2, 3)))
        norm.running_var.copy_(y.var((0, 2, 3)))
        norm.weight.copy_((norm.running_var + norm.eps).sqrt())
        norm.bias.copy_(norm.running_mean + bias)
        return y + bias[:, None, None]

    x = torch.relu(fill(tower.stem[0], tower.stem[1], "stem.0", x))
    x = torch.relu(fill(tower.stem[3], tower.stem[4], "stem.3", x))
    for k, block in enumerate(tower.blocks):
        y = torch.relu(fill(block.c1, block.b1, f"blocks.{k}.c1", x))
        y = fill(block.c2, block.b2, f"blocks.{k}.c2", y)
        short = fill(block.short[0], block.short[1], f"blocks.{k}.short.0", x) if isinstance(block.short, nn.Sequential) else x
        x = torch.relu(y + short)
