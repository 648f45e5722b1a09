"""All figures of a pack on the val split, through onnxruntime and Pillow: what the model card and pack.json state."""

from __future__ import annotations

import io
import json
import tarfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from .runner import Pack

PROMPTS = ["{}", "a photo of a {}", "a picture of a {}", "the {}", "photo of {}", "a close-up of a {}"]
QUERIES = ["{}", "a photo of {}"]
TARGETS = {
    "tiny_imagenet": 0.28,
    "intel_scenes": 0.85,
    "weather5": 0.88,
    "pacs_photo": 0.65,
    "caltech101": 0.45,
    "sports15": 0.50,
    "coco_r10": 0.62,
}


def val_photos(data: Path) -> list[tuple[Image.Image, dict]]:
    """(photo, index row) of the val split; tiles of a mosaic one by one."""
    rows: dict[str, dict[str, dict]] = {}
    for line in (data / "index.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row.get("split") == "val" or "mosaic" in row:
            rows.setdefault(row["source"], {})[row["file"]] = row
    out = []
    for source in sorted(rows):
        with tarfile.open(data / f"{source}.tar") as tar:
            for member in tar:
                row = rows[source].get(member.name)
                if row is None:
                    continue
                photo = Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB")
                mosaic = row.get("mosaic")
                if not mosaic:
                    out.append((photo, row))
                    continue
                t, columns = mosaic["tile"], mosaic["columns"]
                for k in range(mosaic["val_from"], mosaic["count"]):
                    x, y = k % columns * t, k // columns * t
                    out.append((photo.crop((x, y, x + t, y + t)), row))
    return out


def labels_of(data: Path) -> dict[str, list[str]]:
    out: dict[str, set[str]] = {}
    for line in (data / "index.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row.get("label"):
            out.setdefault(row["source"], set()).add(row["label"])
    return {s: sorted(v) for s, v in out.items() if len(v) > 1}


def evaluate(folder: Path, data: Path) -> dict:
    pack = Pack(folder)
    pairs = val_photos(data)
    images = pack.images([p for p, _ in pairs])
    sources = np.array([r["source"] for _, r in pairs])
    top1: dict[str, dict] = {}
    trials = []
    matching, background = [], []
    for source, names in labels_of(data).items():
        pick = np.array([i for i, (_, r) in enumerate(pairs) if r["source"] == source and r.get("label")])
        truth = np.array([names.index(pairs[i][1]["label"]) for i in pick])
        by_prompt = {}
        for prompts in (PROMPTS, ["{}"], ["a photo of a {}"]):
            best = (images[pick] @ pack.texts(names, prompts).T).argmax(1)
            if prompts is PROMPTS:
                trials.append((images[pick] @ pack.texts(names, prompts).T, truth))
            by_prompt["all" if prompts is PROMPTS else prompts[0]] = round(float((best == truth).mean()), 4)
        cosines = images[pick] @ pack.texts(names, QUERIES).T
        hit = np.zeros_like(cosines, dtype=bool)
        hit[np.arange(len(pick)), truth] = True
        matching.append(cosines[hit])
        background.append(cosines[~hit])
        top1[source] = {
            "photos": len(pick),
            "labels": len(names),
            "top1": by_prompt["all"],
            "by_prompt": by_prompt,
            "target": TARGETS.get(source),
        }
    pick = np.flatnonzero(sources == "coco_captions")
    captions = [pairs[i][1]["captions"][0] for i in pick]
    recall = {}
    for name, templates in (("caption alone", ["{}"]), ("query templates", QUERIES)):
        rank = (-(pack.texts(captions, templates) @ images[pick].T)).argsort(1)
        place = (rank == np.arange(len(pick))[:, None]).argmax(1)
        recall[name] = {f"R@{k}": round(float((place < k).mean()), 4) for k in (1, 5, 10)}
    match, back = np.concatenate(matching), np.concatenate(background)
    sample = np.stack([pack.pixels(p) for p, _ in pairs[:64]])
    speed = {}
    for n in (1, 8):
        pack.vision.run(None, {"pixel_values": sample[:n]})
        best = float("inf")
        for _ in range(40):  # the quickest run: other jobs on the machine only ever add time
            began = time.perf_counter()
            pack.vision.run(["image_embeds"], {"pixel_values": sample[:n]})
            best = min(best, time.perf_counter() - began)
        speed[f"batch {n}"] = round(best / n * 1000, 3)
    return {
        "size_px": pack.crop,
        "logit_scale": best_scale(trials),
        "top1": top1,
        "coco_captions": {"photos": len(pick), "target R@10": TARGETS["coco_r10"], **recall},
        "milliseconds_per_image_one_thread": speed,
        "background": {"mean": round(float(back.mean()), 4), "std": round(float(back.std()), 4)},
        "matching": {"mean": round(float(match.mean()), 4), "std": round(float(match.std()), 4)},
        "bands_z": bands((match - back.mean()) / back.std(), (back - back.mean()) / back.std()),
    }


def bands(match: np.ndarray, back: np.ndarray) -> dict[str, float]:
    """z (in background deviations) above which lie 0.1 % (strong) and 1 % (likely) of non-matching pairs, and what share of matching ones."""
    strong, likely = np.quantile(back, 0.999), np.quantile(back, 0.99)
    return {
        "strong": round(float(strong), 3),
        "likely": round(float(likely), 3),
        "matching_above_strong": round(float((match > strong).mean()), 3),
        "matching_above_likely": round(float((match > likely).mean()), 3),
    }


def best_scale(trials: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """The scale at which softmax(scale * cosine) is the best calibrated: least negative log-likelihood, each source counting alike.

    Training's own scale is too low for this: its targets share a photo among many true sentences.
    """

    def loss(scale: float) -> float:
        out = []
        for cosines, truth in trials:
            logits = scale * cosines
            logits = logits - logits.max(1, keepdims=True)
            out.append(float((np.log(np.exp(logits).sum(1)) - logits[np.arange(len(truth)), truth]).mean()))
        return float(np.mean(out))

    return round(float(min(np.geomspace(3, 100, 120), key=loss)), 2)
