"""What is measured from a view's own pixels: the colour of the thing, the colour around it, the sky, light and dark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .photos import COLOURS

SIDE = 24


def classes(rgb: np.ndarray) -> np.ndarray:
    """Index in COLOURS of each pixel of uint8 (...,3), by the rules of photos.colour_shares; 11 where unclear -> uint8 (...)."""
    px = rgb.astype(np.float32) / 255
    hi, lo = px.max(-1), px.min(-1)
    span = hi - lo
    sat = span / np.maximum(hi, 1e-6)
    r, g, b = px[..., 0], px[..., 1], px[..., 2]
    s = np.maximum(span, 1e-6)
    hue = np.where(hi == r, ((g - b) / s) % 6, np.where(hi == g, (b - r) / s + 2, (r - g) / s + 4)) * 60
    out = np.full(hi.shape, 10, np.uint8)
    chroma = (sat > 0.35) & (hi > 0.25)
    out[~chroma & (hi < 0.22)] = 8
    out[~chroma & (hi > 0.82) & (sat < 0.15)] = 9
    sectors = ((0, 0, 14), (1, 14, 42), (2, 42, 68), (3, 68, 165), (4, 165, 258), (5, 258, 295), (6, 295, 345), (0, 345, 361))
    for index, low, high in sectors:
        out[chroma & (hue >= low) & (hue < high)] = index
    out[chroma & (hue >= 10) & (hue < 45) & (hi < 0.62)] = 7
    out[chroma & ((hue < 14) | (hue >= 330)) & (hi > 0.75) & (sat < 0.55)] = 6
    out[~chroma & (sat > 0.22) & (hi >= 0.22)] = 11
    return out


@dataclass
class Look:
    """Colours are names of COLOURS, or "" where none is clear."""

    thing: str  # what the middle has more of than the edge
    around: str  # what nearly all of the edge is
    top: str
    bottom: str
    grey: bool  # a photo without colours
    light: float  # mean brightness, 0 to 1
    shares: np.ndarray  # float32 (11,), of the whole view


def share(part: np.ndarray) -> np.ndarray:
    return np.bincount(part.ravel(), minlength=12)[:11].astype(np.float32) / part.size


def look(rgb: np.ndarray) -> Look:
    """Measures an uint8 (24,24,3) view."""
    kind = classes(rgb)
    whole, middle = share(kind), share(kind[6:18, 6:18])
    edge = np.concatenate([kind[:3].ravel(), kind[-3:].ravel(), kind[3:-3, :3].ravel(), kind[3:-3, -3:].ravel()])
    border = share(edge)
    grey = bool(np.ptp(rgb.astype(np.int16), axis=-1).mean() < 1)  # of 255: greyscale files are below 0.1, hardly any other below 2
    gain = middle - border
    best = int(np.argmax(gain + 0.5 * middle))
    clear = middle[best] > (0.5 if best == 10 else 0.3) and gain[best] > 0.12 and not grey
    return Look(
        COLOURS[best] if clear else "",
        COLOURS[int(border.argmax())] if border.max() > 0.72 else "",
        COLOURS[int(share(kind[:7]).argmax())] if share(kind[:7]).max() > 0.6 else "",
        COLOURS[int(share(kind[-7:]).argmax())] if share(kind[-7:]).max() > 0.6 else "",
        grey,
        float(rgb.mean()) / 255,
        whole,
    )
