"""Writes a pack's generic set: photos as embeddings, with texts, that general search is judged by and replayed from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import Image

from .captions import fill
from .pack import checksums, write_json
from .photos import prepare
from .runner import Pack

NAME = "everyday photos"
JUDGED = 1000
REPLAYED = 2000
# Of the replayed ones: as many human captions, and sentences made from objects, as this.
HUMAN, MADE = 600, 200
# Its fine names are taught as a person's own by the tests; coarse labels of the same photos must not be rehearsed against them.
NOT_REPLAYED = {"grocery81"}
# Glosses from Vietnamese are rough, and the same for many photos: those photos go by their label, or not at all.
ORIGINS = ("human", "labels")

CARD = """# Generic set

{judged} photos with a text each that no training saw (validation split), by which general search is judged before and after a head
is learnt, and {replayed} of the training split that are rehearsed meanwhile. No photo is here: `images.i8` holds the image
embeddings of this pack's own ONNX file, {dims} signed bytes a row, the judged rows first; scaled to unit length they are what the
app would compute (cosine {cosine:.5f} at the least). `pairs.json` holds the texts, which are embedded when they are needed.
Written by `python -m models.train generic`; licences as in the pack's README.
"""


def sentence(row: dict) -> str | None:
    """The one sentence that tells a photo from others, or None where there is only a label."""
    return row["captions"][0] if row.get("captions") and row.get("caption_origin") in ORIGINS else None


def choose(rows: list[dict], split: str, count: int, quota: dict[str, int], without: set[str], rng: np.random.Generator):
    """(photo, text) pairs: sentences first, each text once and at most `quota` of each origin, then labels by turns."""
    mine = [int(i) for i in rng.permutation(len(rows)) if rows[i]["split"] == split and rows[i]["source"] not in without]
    pairs: list[tuple[int, str]] = []
    said: set[str] = set()
    for origin in ORIGINS:
        found = [i for i in mine if rows[i].get("caption_origin") == origin and sentence(rows[i])]
        taken = 0
        for i in found:
            text = sentence(rows[i])
            if text in said or taken == quota.get(origin, count):
                continue
            said.add(text)
            pairs.append((i, text))
            taken += 1
    used = {i for i, _ in pairs}
    by_label: dict[str, list[int]] = {}
    for i in mine:
        label = rows[i].get("label")
        if label and i not in used and not sentence(rows[i]):
            by_label.setdefault(label, []).append(i)
    turn = 0
    while len(pairs) < count and any(len(v) > turn for v in by_label.values()):
        for label in sorted(by_label):
            if len(by_label[label]) > turn and len(pairs) < count:
                pairs.append((by_label[label][turn], fill("a photo of a {}", label)))
        turn += 1
    return pairs


def write_generic(folder: Path, data: Path, cache: Path) -> dict:
    """Writes folder/generic and names it in pack.json; the pack's fingerprint stays. Returns counts and the error."""
    photos = prepare(data, cache)
    rng = np.random.default_rng(1)
    sets = {
        "judged": choose(photos.rows, "val", JUDGED, {}, set(), rng),
        "replay": choose(photos.rows, "train", REPLAYED, {"human": HUMAN, "labels": MADE}, NOT_REPLAYED, rng),
    }
    pack = Pack(folder)
    every = [i for pairs in sets.values() for i, _ in pairs]
    rows = pack.images([Image.fromarray(photos.get(i).numpy()) for i in every])
    stored = np.round(rows / np.abs(rows).max(1, keepdims=True) * 127).astype(np.int8)
    again = stored / np.linalg.norm(stored.astype(np.float32), axis=1, keepdims=True)
    cosines = (again * rows).sum(1)
    about = json.loads((folder / "pack.json").read_text())
    tower = hashlib.sha256((folder / about["image"]["file"]).read_bytes()).hexdigest()
    out = folder / "generic"
    out.mkdir(exist_ok=True)
    (out / "images.i8").write_bytes(stored.tobytes())
    lists = {name: {"photos": list(range(len(pairs))), "texts": [t for _, t in pairs]} for name, pairs in sets.items()}
    (out / "pairs.json").write_text(json.dumps({"schema": 1, "name": NAME, "tower": tower, **lists}, ensure_ascii=False, separators=(",", ":")) + "\n")
    figures = {"judged": len(sets["judged"]), "replayed": len(sets["replay"]), "dims": rows.shape[1], "cosine": float(cosines.min())}
    (out / "README.md").write_text(CARD.format(**figures))
    generic = {"pairs": "generic/pairs.json", "images": "generic/images.i8"}
    files = checksums(folder)
    about = {k: v for k, v in about.items() if k not in ("generic", "files")} | {"generic": generic, "files": files}
    write_json(folder / "pack.json", about)
    return figures | {"mean_cosine": float(cosines.mean()), "bytes": sum(f["bytes"] for name, f in files.items() if name.startswith("generic/"))}
