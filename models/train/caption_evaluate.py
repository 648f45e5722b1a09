"""All figures of a captioner pack on the val split, through onnxruntime and Pillow, as its model card and pack.json state them."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from .calibrate import fitted, sigmoid
from .caption_run import CaptionPack
from .concepts import Concepts
from .evaluate import val_photos
from .facts import Facts, gather, names_label
from .junk import TEST, junk
from .wordnet import WordNet

PRECISION = 0.62  # of what it says when it is sure, on the half that notSureBelow is chosen on
TILES = "tiny_imagenet"


def evaluate_captioner(folder: Path, data: Path, starter: Path, wordnet: Path) -> dict:
    """Figures as JSON; "calibration" is fitted anew each time and does not depend on what pack.json says of confidence."""
    pack = CaptionPack(folder, starter)
    pairs = val_photos(data)
    concepts = Concepts(WordNet(wordnet))
    facts = gather([row for _, row in pairs], concepts, data)
    began = time.monotonic()
    written = [pack.caption(photo) for photo, _ in pairs]
    took = (time.monotonic() - began) / len(pairs)
    labelled = np.array([f.label is not None for f in facts])
    tiles = np.array([f.source == TILES for f in facts])
    named = np.array([f.label is not None and names_label(w.text, f) for f, w in zip(facts, written)])
    means = np.array([w.mean for w in written])
    sources = {
        s: {"photos": int(at.sum()), "named": round(float(named[at].mean()), 4)}
        for s in sorted({f.source for f in facts})
        if (at := labelled & np.array([f.source == s for f in facts])).any()
    }
    photos, every = labelled & ~tiles, labelled & (~tiles | (np.cumsum(tiles) % 3 == 0))
    calibration = fitted(means[every], named[every], PRECISION)
    slope, intercept, bound = calibration["confidence"].values()
    pictures = junk(TEST, 40, seed=99)
    unsure: dict[str, list[bool]] = {}
    for kind, picture in pictures:
        unsure.setdefault(kind, []).append(bool(sigmoid(slope * np.array(pack.caption(picture).mean) + intercept) < bound))
    return {
        "named": {
            "photos": {"items": int(photos.sum()), "share": round(float(named[photos].mean()), 4), "target": 0.45},
            "tiny_imagenet tiles": {"items": int((labelled & tiles).sum()), "share": round(float(named[labelled & tiles].mean()), 4)},
            "photos and tiles": {"items": int(labelled.sum()), "share": round(float(named[labelled].mean()), 4)},
            "by source": sources,
        },
        "coco_captions": against_people(facts, written, concepts),
        "calibration": {"on": "labelled val photos and every third tile", **calibration},
        "not sure of junk": {kind: round(float(np.mean(v)), 3) for kind, v in unsure.items()},
        "distinct captions": len({w.text for w in written}),
        "words a caption": round(float(np.mean([len(w.text.split()) for w in written])), 2),
        "seconds a photo": round(took, 4),
        "examples": [
            {"caption": written[i].text, "mean": round(float(means[i]), 3), "label": facts[i].label, "human": facts[i].human}
            for i in samples(facts)
        ],
    }


def against_people(facts: list[Facts], written: list, concepts: Concepts) -> dict:
    """On photos with a human caption: how often the things both mention meet (of words.txt's caption nouns)."""
    hits, precise, said = [], [], 0
    for f, w in zip(facts, written):
        if f.source != "coco_captions" or not f.nouns:
            continue
        mine = concepts.in_caption(w.text)
        hits.append(bool(set(mine) & set(f.nouns)))
        said += bool(mine)
        precise += [n in f.nouns for n in mine]
    return {
        "photos": len(hits),
        "share a thing": round(float(np.mean(hits)), 4),
        "things right": round(float(np.mean(precise)) if precise else 0.0, 4),
    }


def samples(facts: list[Facts], each: int = 3) -> list[int]:
    rng = np.random.default_rng(5)
    out = []
    for source in sorted({f.source for f in facts}):
        mine = [i for i, f in enumerate(facts) if f.source == source]
        out += [int(i) for i in rng.permutation(mine)[:each]]
    return out
