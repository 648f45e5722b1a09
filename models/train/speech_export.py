"""Writes the captioner and the answerer as ONNX with fp16 weights, and checks them against PyTorch."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
import torch.nn as nn
import torch.nn.functional as F

from .export import OPSET, halve
from .speech import CELLS, HEADS, MEMORY, WIDTH, Answerer, Captioner
from .towers import DIMS

PIXELS = 96  # px a side: what the starter's preprocessing makes


class Encode(nn.Module):
    """patch_embeds (1,36,256), pixel_values (1,3,96,96) -> cross keys and values."""

    def __init__(self, model: Captioner):
        super().__init__()
        self.model = model

    def forward(self, patch_embeds: torch.Tensor, pixel_values: torch.Tensor):
        return tuple(self.model.see(patch_embeds, F.avg_pool2d(pixel_values, 4))[0])


class Decode(nn.Module):
    def __init__(self, model: Captioner):
        super().__init__()
        self.decoder = model.decoder

    def forward(self, input_ids: torch.Tensor, past: list[torch.Tensor], cross: list[torch.Tensor]):
        logits, present = self.decoder(input_ids, past, cross)
        return (logits, *present)


class Classify(nn.Module):
    def __init__(self, model: Answerer):
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, patch_embeds: torch.Tensor, pixel_values: torch.Tensor):
        cross, _ = self.model.see(patch_embeds, F.avg_pool2d(pixel_values, 4))
        return self.model.reply(input_ids, attention_mask, cross)


def halved(model: nn.Module) -> nn.Module:
    """A copy in eval mode whose weights are what fp16 keeps of them."""
    model = copy.deepcopy(model).float().eval()
    for p in model.parameters():
        p.data = p.data.half().float()
    return model


def names(kind: str, layers: int) -> list[str]:
    return [f"{kind}.{i}.{part}" for i in range(layers) for part in ("key", "value")]


def free(path: Path, dims: dict[str, list[str | int]]) -> None:
    """Names the dynamic dimensions of inputs and outputs as the pack's contract does."""
    model = onnx.load(str(path))
    for value in [*model.graph.input, *model.graph.output]:
        wanted = dims.get(value.name) or dims.get(value.name.split(".")[0])
        if not wanted:
            continue
        for dim, name in zip(value.type.tensor_type.shape.dim, wanted):
            dim.Clear()
            if isinstance(name, str):
                dim.dim_param = name
            else:
                dim.dim_value = name
    onnx.save(model, str(path))


def export_captioner(model: Captioner, folder: Path) -> None:
    """Writes folder/onnx/encoder.onnx and folder/onnx/decoder.onnx."""
    model, layers, dh = halved(model), len(model.decoder.steps), WIDTH // HEADS
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    encoder, decoder = folder / "onnx/encoder.onnx", folder / "onnx/decoder.onnx"
    common = {"opset_version": OPSET, "dynamo": True, "external_data": False, "optimize": True, "verbose": False}
    torch.onnx.export(
        Encode(model), (torch.randn(1, CELLS, DIMS), torch.randn(1, 3, PIXELS, PIXELS)), str(encoder),
        input_names=["patch_embeds", "pixel_values"], output_names=names("cross", layers), **common,
    )  # fmt: skip
    batch, tokens, past, seen = (torch.export.Dim(n, min=2, max=64) for n in ("batch", "tokens", "past", "seen"))
    torch.onnx.export(
        Decode(model),
        (torch.randint(4, 90, (3, 5)), [torch.randn(3, HEADS, 7, dh) for _ in range(2 * layers)], [torch.randn(1, HEADS, 11, dh) for _ in range(2 * layers)]),
        str(decoder),
        input_names=["input_ids", *names("past", layers), *names("cross", layers)],
        output_names=["logits", *names("present", layers)],
        dynamic_shapes={"input_ids": {0: batch, 1: tokens}, "past": [{0: batch, 2: past}] * (2 * layers), "cross": [{2: seen}] * (2 * layers)},
        **common,
    )  # fmt: skip
    for path in (encoder, decoder):
        halve(path)
    free(
        decoder,
        {
            "input_ids": ["batch", "tokens"],
            "past": ["batch", HEADS, "past", dh],
            "cross": ["cross_batch", HEADS, "seen", dh],
            "logits": ["batch", "tokens", model.decoder.tokens.num_embeddings],
            "present": ["batch", HEADS, "past_and_tokens", dh],
        },
    )


def export_answerer(model: Answerer, folder: Path) -> None:
    """Writes folder/onnx/classifier.onnx."""
    model = halved(model)
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    path = folder / "onnx/classifier.onnx"
    ids, length = torch.randint(4, 90, (1, 7)), torch.export.Dim("tokens", min=2, max=24)
    torch.onnx.export(
        Classify(model),
        (ids, torch.ones_like(ids), torch.randn(1, CELLS, DIMS), torch.randn(1, 3, PIXELS, PIXELS)),
        str(path),
        input_names=["input_ids", "attention_mask", "patch_embeds", "pixel_values"],
        output_names=["logits"],
        dynamic_shapes={"input_ids": {1: length}, "attention_mask": {1: length}, "patch_embeds": {}, "pixel_values": {}},
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        optimize=True,
        verbose=False,
    )
    halve(path)


def session(path: Path, threads: int = 1) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@torch.no_grad()
def check_captioner(model: Captioner, folder: Path, patches: torch.Tensor, pixels: torch.Tensor, ids: np.ndarray) -> dict[str, float]:
    """Largest logit differences to PyTorch, at once and token by token with the cache, and between batch sizes."""
    model, layers = halved(model), len(model.decoder.steps)
    encoder, decoder = session(folder / "onnx/encoder.onnx"), session(folder / "onnx/decoder.onnx")
    cross = encoder.run(None, {"patch_embeds": patches.numpy(), "pixel_values": pixels.numpy()})
    wanted_cross, _ = model.see(patches, F.avg_pool2d(pixels, 4))
    wanted = model.decoder(torch.from_numpy(ids), model.decoder.no_past(len(ids)), wanted_cross)[0].numpy()
    seen = dict(zip(names("cross", layers), cross))
    empty = {n: np.zeros((len(ids), HEADS, 0, WIDTH // HEADS), np.float32) for n in names("past", layers)}
    at_once = decoder.run(None, {"input_ids": ids, **empty, **seen})[0]
    past, steps = empty, []
    for t in range(ids.shape[1]):
        out = decoder.run(None, {"input_ids": ids[:, t : t + 1], **past, **seen})
        steps.append(out[0])
        past = dict(zip(names("past", layers), out[1:]))
    stepped = np.concatenate(steps, 1)
    two = {n: np.repeat(v, 2, 0) for n, v in empty.items()}
    doubled = decoder.run(None, {"input_ids": np.repeat(ids, 2, 0), **two, **seen})[0]
    each = decoder.run(None, {"input_ids": np.repeat(ids, 2, 0), **two, **{n: np.repeat(v, 2, 0) for n, v in seen.items()}})[0]
    assert MEMORY == cross[0].shape[2]
    return {
        "logits": float(np.abs(at_once - wanted).max()),
        "logits with cache": float(np.abs(stepped - wanted).max()),
        "logits with the photo broadcast": float(np.abs(doubled[1:] - wanted).max()),
        "logits with a photo each": float(np.abs(each[1:] - wanted).max()),
        "same tokens": float((at_once.argmax(-1) == wanted.argmax(-1)).mean() * (stepped.argmax(-1) == wanted.argmax(-1)).mean()),
    }


@torch.no_grad()
def check_answerer(
    model: Answerer, folder: Path, patches: torch.Tensor, pixels: torch.Tensor, ids: torch.Tensor, mask: torch.Tensor
) -> dict[str, float]:
    model, classifier = halved(model), session(folder / "onnx/classifier.onnx")
    wanted = Classify(model)(ids, mask, patches, pixels).numpy()
    feed = {"input_ids": ids.numpy(), "attention_mask": mask.numpy(), "patch_embeds": patches.numpy(), "pixel_values": pixels.numpy()}
    return {"logits": float(np.abs(classifier.run(None, feed)[0] - wanted).max())}
