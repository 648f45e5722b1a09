"""Decodes the starter photos once into one uint8 cache, and cuts augmented batches from it."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

COLOURS = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey"]


def colour_shares(rgb: np.ndarray) -> np.ndarray:
    """Share of each of COLOURS among the pixels of an uint8 (H,W,3) image -> float32 (11,).

    Hue bounds were set by eye on HSV sectors; brown is dark orange, pink is light red or magenta.
    """
    px = rgb.reshape(-1, 3).astype(np.float32) / 255
    hi, lo = px.max(1), px.min(1)
    span = hi - lo
    sat = span / np.maximum(hi, 1e-6)
    r, g, b = px.T
    s = np.maximum(span, 1e-6)
    hue = np.where(hi == r, ((g - b) / s) % 6, np.where(hi == g, (b - r) / s + 2, (r - g) / s + 4)) * 60
    out = np.full(len(px), 10)
    chroma = (sat > 0.35) & (hi > 0.25)
    out[~chroma & (hi < 0.22)] = 8
    out[~chroma & (hi > 0.82) & (sat < 0.15)] = 9
    for index, low, high in (
        (0, 0, 14),
        (1, 14, 42),
        (2, 42, 68),
        (3, 68, 165),
        (4, 165, 258),
        (5, 258, 295),
        (6, 295, 345),
        (0, 345, 361),
    ):
        out[chroma & (hue >= low) & (hue < high)] = index
    out[chroma & (hue >= 10) & (hue < 45) & (hi < 0.62)] = 7
    out[chroma & ((hue < 14) | (hue >= 330)) & (hi > 0.75) & (sat < 0.55)] = 6
    unclear = ~chroma & (sat > 0.22) & (hi >= 0.22)
    count = np.bincount(out[~unclear], minlength=11).astype(np.float32)
    return count / len(px)


@dataclass
class Photos:
    """All photos as one flat uint8 buffer; photo i is pixels[start[i]:] of shape (h[i], w[i], 3)."""

    pixels: np.ndarray
    start: np.ndarray
    h: np.ndarray
    w: np.ndarray
    colours: np.ndarray  # float32 (n, 11), shares in the central half of the photo
    rows: list[dict]  # index rows; a mosaic's row is repeated for each tile, with "tile" and "split"

    def get(self, i: int) -> torch.Tensor:
        h, w, s = int(self.h[i]), int(self.w[i]), int(self.start[i])
        return torch.from_numpy(self.pixels[s : s + h * w * 3].reshape(h, w, 3))

    def batch(self, indices, size: int, rng: np.random.Generator | None) -> torch.Tensor:
        """uint8 (B,3,size,size). With rng: random resized crop and flip; without: centre crop of the short side."""
        out = torch.empty(len(indices), 3, size, size, dtype=torch.uint8)
        for k, i in enumerate(indices):
            img = self.get(i)
            h, w = img.shape[:2]
            if rng is None:
                ch = cw = min(h, w)
                y, x = (h - ch) // 2, (w - cw) // 2
            else:
                short = min(h, w)
                least = 0.45 if short <= 64 else 0.28  # a source with few photos a class needs the stronger crops
                area = rng.uniform(least, 1.0) * short * min(max(h, w), 1.5 * short)
                ratio = np.exp(rng.uniform(-0.29, 0.29))
                cw, ch = min(w, int((area * ratio) ** 0.5 + 0.5)), min(h, int((area / ratio) ** 0.5 + 0.5))
                y, x = rng.integers(0, h - ch + 1), rng.integers(0, w - cw + 1)
            crop = img[y : y + ch, x : x + cw].permute(2, 0, 1)[None]
            if (ch, cw) != (size, size):
                crop = F.interpolate(crop, (size, size), mode="bilinear", antialias=True)
            if rng is not None and rng.random() < 0.5:
                crop = crop.flip(3)
            out[k] = crop[0]
        return out


def normalise(batch: torch.Tensor, rng: np.random.Generator | None = None, erase: float = 0.15) -> torch.Tensor:
    """uint8 (B,3,S,S) -> float32 in about [-2,2], channels-last; with rng, light jitter (hue is kept: colours are named)."""
    x = batch.to(torch.float32).div_(255)
    n, _, s, _ = x.shape
    if rng is not None:
        bright = torch.from_numpy(rng.uniform(0.75, 1.25, (n, 1, 1, 1)).astype(np.float32))
        contrast = torch.from_numpy(rng.uniform(0.75, 1.25, (n, 1, 1, 1)).astype(np.float32))
        saturation = torch.from_numpy(rng.uniform(0.7, 1.3, (n, 1, 1, 1)).astype(np.float32))
        x.mul_(bright)
        mean = x.mean((1, 2, 3), keepdim=True)
        x = (x - mean) * contrast + mean
        grey = x.mean(1, keepdim=True)
        x = ((x - grey) * saturation + grey).clamp_(0, 1)
        for k in np.flatnonzero(rng.random(n) < erase):
            e = int(s * rng.uniform(0.15, 0.45))
            y, z = rng.integers(0, s - e + 1, 2)
            x[k, :, y : y + e, z : z + e] = 0.5
    return ((x - 0.5) / 0.25).contiguous(memory_format=torch.channels_last)


def prepare(data: Path, cache: Path) -> Photos:
    """Decodes everything under data (tars + index.jsonl) once; later calls read the cache (about 1.6 GB)."""
    meta = cache / "photos.json"
    if not meta.exists():
        cache.mkdir(parents=True, exist_ok=True)
        by_source: dict[str, dict[str, dict]] = {}
        for line in (data / "index.jsonl").read_text().splitlines():
            row = json.loads(line)
            row.pop("label_fine", None)  # held back: taught later as new names
            row.pop("qa", None)
            by_source.setdefault(row["source"], {})[row["file"]] = row
        rows, start, hs, ws, shares, at = [], [], [], [], [], 0
        with open(cache / "pixels.bin", "wb") as sink:

            def put(rgb: np.ndarray, row: dict) -> None:
                nonlocal at
                h, w = rgb.shape[:2]
                sink.write(np.ascontiguousarray(rgb).tobytes())
                rows.append(row), start.append(at), hs.append(h), ws.append(w)
                shares.append(colour_shares(rgb[h // 5 : h - h // 5, w // 5 : w - w // 5]))
                at += h * w * 3

            for source in sorted(by_source):
                with tarfile.open(data / f"{source}.tar") as tar:
                    for member in tar:
                        row = by_source[source].get(member.name)
                        if row is None:
                            continue
                        rgb = np.asarray(Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB"))
                        mosaic = row.get("mosaic")
                        if not mosaic:
                            put(rgb, row)
                            continue
                        t, columns = mosaic["tile"], mosaic["columns"]
                        for k in range(mosaic["count"]):
                            y, x = k // columns * t, k % columns * t
                            split = "val" if k >= mosaic["val_from"] else "train"
                            put(
                                rgb[y : y + t, x : x + t],
                                {
                                    "source": source,
                                    "split": split,
                                    "label": row["label"],
                                    "wnid": row["wnid"],
                                    "tile": k,
                                    "file": row["file"],
                                },
                            )
        np.savez(cache / "index.npz", start=np.array(start), h=np.array(hs), w=np.array(ws), colours=np.array(shares, dtype=np.float32))
        meta.write_text(json.dumps(rows))
    index = np.load(cache / "index.npz")
    pixels = np.memmap(cache / "pixels.bin", dtype=np.uint8, mode="c")
    return Photos(pixels, index["start"], index["h"], index["w"], index["colours"], json.loads(meta.read_text()))
