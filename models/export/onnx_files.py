"""Writes a torch module as an ONNX file, and stores its weights in half precision where that is asked for."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
#: Weights with fewer numbers stay float32: they weigh nothing.
SMALLEST_HALVED = 256


def round_to_half(model: torch.nn.Module) -> None:
    """Rounds in place what `write(halve=True)` stores in half precision, so that the reference has the same weights."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() >= SMALLEST_HALVED:
                parameter.copy_(parameter.half().float())


def write(
    module: torch.nn.Module,
    inputs: tuple[Any, ...],
    path: Path,
    input_names: list[str],
    output_names: list[str],
    axes: dict[str, dict[int, str]],
    halve: bool = False,
) -> None:
    """Traces the module; axes not named in `axes` are fixed to the example's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of each shape that becomes a constant; runs are compared instead
        torch.onnx.export(
            module.eval(),
            inputs,
            str(path),
            input_names=input_names,
            output_names=output_names,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
            # Folding would store a transposed copy of an embedding that the output layer shares.
            do_constant_folding=False,
        )
    tidy(path, halve)


def tidy(path: Path, halve: bool) -> None:
    """Takes out what names the exporting machine, and casts float32 weights to half and back in the graph if asked."""
    model = onnx.load(str(path))
    graph = model.graph
    if halve:
        casts = []
        for k, tensor in enumerate(list(graph.initializer)):
            if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < SMALLEST_HALVED:
                continue
            half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name + "_fp16")
            casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
            graph.initializer[k].CopyFrom(half)
        for k, node in enumerate(casts):
            graph.node.insert(k, node)
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string, node.name = "", ""
    del graph.value_info[:], graph.metadata_props[:], model.metadata_props[:]
    model.doc_string = graph.doc_string = ""
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
