"""Small drawn pictures that every recipe is checked on, and that its pack carries as golden examples."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

#: The first fits the tiny models exactly, the others have to be resized and are wide and tall.
SIZES = ((64, 64), (120, 80), (70, 100))


def pictures() -> list[Image.Image]:
    """Three RGB pictures: a colour gradient with noise, a disc and a bar; always the same."""
    found = []
    for seed, (width, height) in enumerate(SIZES):
        random = np.random.default_rng(seed)
        y, x = np.mgrid[0:height, 0:width]
        base = np.stack([x * 255 / width, y * 255 / height, 255 - x * 255 / width], -1)[..., np.roll([0, 1, 2], seed)]
        noisy = np.clip(base + random.normal(0, 12, base.shape), 0, 255).astype(np.uint8)
        image = Image.fromarray(noisy)
        draw = ImageDraw.Draw(image)
        colours = [tuple(int(c) for c in random.integers(0, 256, 3)) for _ in range(2)]
        draw.ellipse((width // 6, height // 6, width // 2, height // 2), fill=colours[0])
        draw.rectangle((width // 2, height // 2, width - 6, height - 10), fill=colours[1])
        found.append(image)
    return found
