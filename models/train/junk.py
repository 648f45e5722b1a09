"""Pictures that are no photos: noise, flat colours, text, patterns. A model should be sure of nothing about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .runner import Pack

WORDS = "the of and to in is that it was for on are as with his they at be this from have or by one had not but what all were when we there can an your which their said if do will each about how up out them then she many some so these would other into has more her two like him see time could no make than first been its who now people my made over did down only way find use may water long little very after words called just where most know".split()


def noise(rng: np.random.Generator) -> Image.Image:
    coarse = int(rng.integers(2, 97))
    picture = rng.integers(0, 256, (coarse, coarse, 3 if rng.random() < 0.6 else 1), dtype=np.uint8)
    return Image.fromarray(np.broadcast_to(picture, (coarse, coarse, 3)).copy()).resize((96, 96), Image.Resampling(int(rng.integers(0, 4))))


def flat(rng: np.random.Generator) -> Image.Image:
    colour = rng.integers(0, 256, 3) if rng.random() < 0.6 else np.repeat(rng.integers(0, 256), 3)
    wobble = rng.normal(0, rng.uniform(0, 6), (96, 96, 3))
    return Image.fromarray(np.clip(colour + wobble, 0, 255).astype(np.uint8))


def gradient(rng: np.random.Generator) -> Image.Image:
    corners = rng.integers(0, 256, (2, 2, 3), dtype=np.uint8)
    return Image.fromarray(corners).resize((96, 96), Image.Resampling.BILINEAR)


def stripes(rng: np.random.Generator) -> Image.Image:
    y, x = np.mgrid[0:96, 0:96]
    wave = np.sin((x * np.cos(a := rng.uniform(0, 3.14)) + y * np.sin(a)) / rng.uniform(1, 12))
    one, two = rng.integers(0, 256, (2, 3))
    mix = ((wave > 0) if rng.random() < 0.5 else (wave + 1) / 2)[..., None]
    return Image.fromarray((one * mix + two * (1 - mix)).astype(np.uint8))


def text(rng: np.random.Generator) -> Image.Image:
    """A page or a screenshot, scaled down as a preprocessor would."""
    side = int(rng.integers(200, 700))
    dark = rng.random() < 0.35
    paper, ink = (tuple(map(int, rng.integers(0, 60, 3))), tuple(map(int, rng.integers(170, 256, 3))))[:: 1 if dark else -1]
    picture = Image.new("RGB", (side, side), paper)
    draw, y, size = ImageDraw.Draw(picture), int(rng.integers(4, 40)), int(rng.integers(9, 26))
    font = ImageFont.load_default(size)
    left, width = int(rng.integers(4, side // 4)), int(rng.integers(3, 12))
    if rng.random() < 0.5:
        draw.rectangle((0, 0, side, y + 20), fill=tuple(map(int, rng.integers(0, 256, 3))))
    while y < side:
        draw.text((left, y), " ".join(rng.choice(WORDS, int(rng.integers(1, width + 1)))), fill=ink, font=font)
        y += int(size * rng.uniform(1.2, 2.2))
    return picture


def checks(rng: np.random.Generator) -> Image.Image:
    n = int(rng.integers(2, 17))
    board = (np.indices((n, n)).sum(0) % 2)[..., None]
    one, two = rng.integers(0, 256, (2, 3))
    return Image.fromarray((one * board + two * (1 - board)).astype(np.uint8)).resize((96, 96), Image.Resampling.NEAREST)


def blobs(rng: np.random.Generator) -> Image.Image:
    picture = Image.new("RGB", (96, 96), tuple(map(int, rng.integers(0, 256, 3))))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(3, 25))):
        x, y, r = (int(v) for v in rng.integers(0, 96, 3))
        draw.ellipse((x - r // 3, y - r // 3, x + r // 3, y + r // 3), fill=tuple(map(int, rng.integers(0, 256, 3))))
    return picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 6))))


def table(rng: np.random.Generator) -> Image.Image:
    """A spreadsheet: lines, and numbers in its cells."""
    side, rows, columns = 480, int(rng.integers(8, 28)), int(rng.integers(3, 10))
    picture = Image.new("RGB", (side, side), (255, 255, 255))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(int(rng.integers(9, 16)))
    for r in range(rows):
        draw.line((0, r * side // rows, side, r * side // rows), fill=(190, 190, 190))
        for c in range(columns):
            draw.text((c * side // columns + 4, r * side // rows + 3), str(int(rng.integers(0, 10**4))), fill=(20, 20, 20), font=font)
    for c in range(columns):
        draw.line((c * side // columns, 0, c * side // columns, side), fill=(190, 190, 190))
    return picture


TRAIN = {"noise": noise, "flat": flat, "gradient": gradient, "stripes": stripes, "text": text}
TEST = {**TRAIN, "checks": checks, "blobs": blobs, "table": table}  # the last three are never trained on


def junk(kinds: dict, count: int, seed: int) -> list[tuple[str, Image.Image]]:
    """count pictures of each kind, with its name."""
    rng = np.random.default_rng(seed)
    return [(name, draw(rng)) for name, draw in kinds.items() for _ in range(count)]


def seen(pictures: list[Image.Image], pack: Pack) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(patch_embeds (n,36,256), pixels (n,3,24,24), pixel_values (n,3,96,96)) of pictures, preprocessed as the app does."""
    values = np.stack([pack.pixels(p) for p in pictures])
    patches = np.concatenate(
        [pack.vision.run(["patch_embeds"], {"pixel_values": values[k : k + 64]})[0] for k in range(0, len(values), 64)]
    )
    return torch.from_numpy(patches), F.avg_pool2d(torch.from_numpy(values), 4), torch.from_numpy(values)


def training_junk(starter: Path, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Patches and pixels of 600 pictures of TRAIN's kinds."""
    patches, pixels, _ = seen([p for _, p in junk(TRAIN, 120, seed)], Pack(starter))
    return patches, pixels
