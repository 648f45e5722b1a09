"""Writes the towers as ONNX: BatchNorm folded, weights stored as fp16 and cast at load (onnxruntime folds the casts)."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn as nn
from onnx import TensorProto, helper, numpy_helper
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .token_output import add_token_output
from .towers import Block, Clip, ImageTower

OPSET = 18  # the lowest that torch's exporter writes itself


def folded(tower: ImageTower) -> ImageTower:
    """A copy in which every BatchNorm is part of the convolution before it: same function, in eval mode."""
    t = copy.deepcopy(tower).eval()

    def fold(sequence: nn.Sequential, conv: int) -> None:
        sequence[conv] = fuse_conv_bn_eval(sequence[conv], sequence[conv + 1])
        sequence[conv + 1] = nn.Identity()

    fold(t.stem, 0), fold(t.stem, 3)
    for block in t.blocks:
        assert isinstance(block, Block)
        block.c1, block.b1 = fuse_conv_bn_eval(block.c1, block.b1), nn.Identity()
        block.c2, block.b2 = fuse_conv_bn_eval(block.c2, block.b2), nn.Identity()
        if isinstance(block.short, nn.Sequential):
            fold(block.short, 0)
    return t


def rename(path: Path, state: dict[str, torch.Tensor]) -> None:
    """Gives weights that the exporter transposed and renamed their own name back, with ".T" behind it, so that a pack can be trained on."""
    model = onnx.load(str(path))
    graph, renamed = model.graph, {}
    for tensor in graph.initializer:
        if tensor.name in state or tensor.data_type != TensorProto.FLOAT or len(tensor.dims) != 2:
            continue
        value = numpy_helper.to_array(tensor)
        for name, parameter in state.items():
            if parameter.ndim == 2 and parameter.T.shape == value.shape and np.array_equal(parameter.T.numpy(), value):
                renamed[tensor.name] = name + ".T"
                tensor.name = name + ".T"
                break
        else:
            raise ValueError(f"{path}: initializer {tensor.name} is no known weight")
    for node in graph.node:
        for k, name in enumerate(node.input):
            node.input[k] = renamed.get(name, name)
    onnx.save(model, str(path))


def halve(path: Path) -> None:
    """Stores each float32 initializer of 256 numbers or more as fp16 with a Cast to float32 behind it."""
    model = onnx.load(str(path))
    graph, casts = model.graph, []
    for k, tensor in enumerate(list(graph.initializer)):
        if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < 256:
            continue
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name + "_fp16")
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT, name="widen/" + tensor.name))
        graph.initializer[k].CopyFrom(half)
    for k, node in enumerate(casts):
        graph.node.insert(k, node)
    for value in list(graph.value_info):
        graph.value_info.remove(value)
    for node in graph.node:
        del node.metadata_props[:]  # the exporter's stack traces name paths of the training machine
        node.doc_string = ""
    for value in [*graph.input, *graph.output]:
        del value.metadata_props[:]
    del graph.metadata_props[:], model.metadata_props[:]
    model.doc_string = graph.doc_string = ""
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def export(model: Clip, folder: Path, size: int) -> None:
    """Writes folder/onnx/{vision,text}_model.onnx for photos of size x size px."""
    onnx_folder = folder / "onnx"
    onnx_folder.mkdir(parents=True, exist_ok=True)
    vision, text = folded(model.image).float(), copy.deepcopy(model.text).float().eval()
    n = torch.export.Dim("batch", min=1, max=4096)
    length = torch.export.Dim("sequence", min=2, max=24)
    torch.onnx.export(
        vision,
        (torch.randn(3, 3, size, size),),
        str(onnx_folder / "vision_model.onnx"),
        input_names=["pixel_values"],
        output_names=["image_embeds", "patch_embeds"],
        dynamic_shapes={"x": {0: n}},
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        optimize=True,
    )
    ids = torch.randint(4, 100, (3, 7))
    torch.onnx.export(
        text,
        (ids, torch.ones_like(ids)),
        str(onnx_folder / "text_model.onnx"),
        input_names=["input_ids", "attention_mask"],
        output_names=["text_embeds"],
        dynamic_shapes={"ids": {0: n, 1: length}, "mask": {0: n, 1: length}},
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        optimize=True,
    )
    for name, tower in (("vision_model.onnx", vision), ("text_model.onnx", text)):
        rename(onnx_folder / name, tower.state_dict())
        halve(onnx_folder / name)
    add_token_output(onnx_folder / "text_model.onnx")
