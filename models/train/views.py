"""Runs the starter's image tower once over augmented views of every photo, so that decoders train without it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
import torch.nn.functional as F

from .photos import Photos, normalise

CELLS, DIMS = 36, 256
SIDE = 24  # px that a view's pixels are kept at: 4 x 4 of them in each of the tower's 6 x 6 cells
CROPS = 4  # augmented passes over the photos; those at 64 px (many, and alike) take part in the first two


@dataclass
class Pass:
    """One view of each of some photos: patches float16 (n,36,256), pixels uint8 (n,24,24,3)."""

    photo: np.ndarray
    patches: np.ndarray
    pixels: np.ndarray


@dataclass
class Views:
    passes: list[Pass]  # the first is the centre crop, as the app sees a photo, of all photos in order

    def pick(self, photos: np.ndarray, rng: np.random.Generator | None) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
        """(patches float32 (B,36,256), pixels float32 in [-2,2] (B,3,24,24), the same as uint8 (B,24,24,3)); without rng the centre crops."""
        patches = np.empty((len(photos), CELLS, DIMS), np.float16)
        pixels = np.empty((len(photos), SIDE, SIDE, 3), np.uint8)
        for k, photo in enumerate(photos):
            choice = self.passes[0] if rng is None else self.passes[self.where[photo][rng.integers(len(self.where[photo]))]]
            at = photo if choice is self.passes[0] else self.row[id(choice)][photo]
            patches[k], pixels[k] = choice.patches[at], choice.pixels[at]
        colour = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255).sub_(0.5).div_(0.25)
        return torch.from_numpy(patches).float(), colour, pixels

    def __post_init__(self) -> None:
        count = len(self.passes[0].photo)
        self.row: dict[int, np.ndarray] = {}
        self.where: list[list[int]] = [[0] for _ in range(count)]
        for k, one in enumerate(self.passes[1:], 1):
            row = np.full(count, -1)
            row[one.photo] = np.arange(len(one.photo))
            self.row[id(one)] = row
            for photo in one.photo:
                self.where[photo].append(k)


def prepare_views(photos: Photos, starter: Path, folder: Path, threads: int = 2, crops: int = CROPS) -> Views:
    """Makes the passes that are missing in folder (about 3 ms a view and core, 20 KB each), and opens all."""
    folder.mkdir(parents=True, exist_ok=True)
    everyone = np.arange(len(photos.rows))
    train = np.array([r.get("split") == "train" for r in photos.rows])
    large = np.array([min(h, w) > 64 for h, w in zip(photos.h, photos.w)])
    passes = []
    for k in range(crops + 1):
        members = everyone if k == 0 else everyone[train] if k <= 2 else everyone[train & large]
        if not (folder / f"{k}.done").exists():
            run_pass(photos, starter, folder, k, members, threads)
        shape = (len(members), CELLS, DIMS)
        passes.append(
            Pass(
                members,
                np.memmap(folder / f"{k}.patches", np.float16, "r", shape=shape),
                np.memmap(folder / f"{k}.pixels", np.uint8, "r", shape=(len(members), SIDE, SIDE, 3)),
            )
        )
    return Views(passes)


def run_pass(photos: Photos, starter: Path, folder: Path, k: int, members: np.ndarray, threads: int, batch: int = 64) -> None:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    tower = ort.InferenceSession(str(starter / "onnx/vision_model.onnx"), options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(k) if k else None
    with open(folder / f"{k}.patches", "wb") as patches, open(folder / f"{k}.pixels", "wb") as pixels:
        for at in range(0, len(members), batch):
            crop = photos.batch(members[at : at + batch], 96, rng)
            x = normalise(crop, rng, erase=0.1).contiguous()
            out = tower.run(["patch_embeds"], {"pixel_values": x.numpy()})[0]
            patches.write(out.astype(np.float16).tobytes())
            small = F.avg_pool2d(x, 4).mul(0.25).add(0.5).clamp(0, 1).mul(255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
            pixels.write(small.numpy().tobytes())
    (folder / f"{k}.done").touch()
