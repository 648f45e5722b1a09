"""All figures of an answerer pack on the val split: fixed questions (seed 0) about photos never trained on, and DAQUAR's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .answer_run import AnswerPack
from .answers import daquar_answers
from .calibrate import fitted, sigmoid, spoken
from .caption_run import log_softmax
from .concepts import Concepts
from .evaluate import val_photos
from .facts import Facts, gather
from .junk import TEST, junk
from .look import SIDE, look
from .questions import Asker
from .wordings import KINDS
from .wordnet import WordNet

PRECISION = 0.68  # of what it says when it is sure, on the half that notSureBelow is chosen on
TILES = "tiny_imagenet"


@dataclass
class Item:
    photo: int
    question: str
    answers: list[str]
    kind: str  # "daquar", or one of KINDS
    new_words: bool  # worded as training never is


def small(values: np.ndarray) -> np.ndarray:
    """uint8 (24,24,3) of preprocessed pixels (3,96,96), as look() measures."""
    side = values.shape[1] // SIDE
    pooled = values.reshape(3, SIDE, side, SIDE, side).mean((2, 4)) * 0.25 + 0.5
    return np.clip(np.round(pooled * 255), 0, 255).astype(np.uint8).transpose(1, 2, 0)


def question_set(facts: list[Facts], views: list[np.ndarray], asker: Asker, seed: int = 0) -> list[Item]:
    """Three questions a photo, one a tile, kinds as often as in training; then all of DAQUAR's. The same for the same seed."""
    rng = np.random.default_rng(seed)
    out = []
    for i, (f, view) in enumerate(zip(facts, views)):
        seen = look(view)
        for k in range(1 if f.source == TILES else 3):
            asked = asker.ask(f, seen, rng, held_out=bool(k % 2))
            if asked and asked.answers:
                out.append(Item(i, asked.question, asked.answers, asked.kind, bool(k % 2)))
        out += [Item(i, q, daquar_answers(a), "daquar", False) for q, a in f.qa]
    return out


def commonest(items: list[Item]) -> tuple[str, float]:
    """The one answer that is right most often, and how often."""
    counts = Counter(a for item in items for a in set(item.answers))
    if not counts:
        return "", 0.0
    best, n = counts.most_common(1)[0]
    return best, round(n / len(items), 4)


def summary(items: list[Item], right: np.ndarray, pick: np.ndarray) -> dict:
    chosen = [item for item, at in zip(items, pick) if at]
    if not chosen:
        return {"questions": 0}
    answer, share = commonest(chosen)
    return {"questions": len(chosen), "right": round(float(right[pick].mean()), 4), "commonest": answer, "always the commonest": share}


def read_val(data: Path, wordnet: Path) -> tuple[list[Image.Image], list[Facts], Asker]:
    import json

    concepts = Concepts(WordNet(wordnet))
    pairs = val_photos(data)
    rows = [json.loads(line) for line in (data / "index.jsonl").read_text().splitlines()]
    return [p for p, _ in pairs], gather([r for _, r in pairs], concepts, data), Asker(gather(rows, concepts, data))


def evaluate_answerer(folder: Path, data: Path, starter: Path, wordnet: Path, blind=None) -> dict:
    """Figures as JSON. blind: a function (questions) -> answers of a model that sees no photo, for comparison."""
    pack = AnswerPack(folder, starter)
    photos, facts, asker = read_val(data, wordnet)
    seen = [pack.see(p) for p in photos]
    items = question_set(facts, [small(s["pixel_values"][0]) for s in seen], asker)
    logits = np.stack([pack.logits(seen[item.photo], item.question) for item in items]).astype(np.float64)
    said = [pack.answers[k] for k in logits.argmax(1)]
    right = np.array([s in item.answers for s, item in zip(said, items)])
    daquar = np.array([item.kind == "daquar" for item in items])
    tiles = np.array([facts[item.photo].source == TILES for item in items])
    new = np.array([item.new_words for item in items])
    groups = {
        "generated": ~daquar,
        "generated, photos": ~daquar & ~tiles,
        "generated, tiles": ~daquar & tiles,
        "generated, photos, known wordings": ~daquar & ~tiles & ~new,
        "generated, photos, new wordings": ~daquar & ~tiles & new,
        "daquar": daquar,
    }
    figures: dict = {name: summary(items, right, pick) for name, pick in groups.items()}
    kinds = {kind: np.array([item.kind == kind for item in items]) & ~tiles for kind in KINDS if kind != "unanswerable"}
    figures["by kind, photos"] = {kind: summary(items, right, pick) for kind, pick in kinds.items()}
    if blind:
        guess = blind([item.question for item in items])
        hit = np.array([g in item.answers for g, item in zip(guess, items)])
        figures["questions without the photo"] = {name: round(float(hit[pick].mean()), 4) for name, pick in groups.items()}
    half = np.random.default_rng(1).permutation(len(items)) < len(items) // 2
    index = {a: k for k, a in enumerate(pack.answers)}
    temperature = best_temperature(logits[half], [item.answers for item, at in zip(items, half) if at], index)
    top = log_softmax(logits / temperature).max(1)
    calibration = fitted(top, right, PRECISION, seed=1)  # the same half
    slope, intercept, bound = calibration["confidence"].values()
    chance = sigmoid(slope * top + intercept)
    figures["calibration"] = {
        "on": "all questions above",
        "temperature": temperature,
        **calibration,
        "by group": {name: spoken(chance[pick & ~half], right[pick & ~half], bound) for name, pick in groups.items()},
    }
    questions = ["what is this", "what colour is it", "is there a dog in the photo", "what animal is this"]
    unsure: dict[str, list[bool]] = {}
    for kind, picture in junk(TEST, 20, seed=99):
        view = pack.see(picture)
        for q in questions:
            x = log_softmax(pack.logits(view, q).astype(np.float64) / temperature).max()
            unsure.setdefault(kind, []).append(bool(sigmoid(np.array(slope * x + intercept)) < bound))
    figures["not sure of junk"] = {kind: round(float(np.mean(v)), 3) for kind, v in unsure.items()}
    figures["examples"] = [
        {"question": items[i].question, "answer": said[i], "true": items[i].answers, "confidence": round(float(chance[i]), 2)}
        for i in np.random.default_rng(7).permutation(len(items))[:40]
    ]
    return figures


def best_temperature(logits: np.ndarray, answers: list[list[str]], index: dict[str, int]) -> float:
    """The temperature of least negative log-likelihood of (any of) the true answers."""
    keep = [k for k, true in enumerate(answers) if any(a in index for a in true)]

    def loss(t: float) -> float:
        logp = log_softmax(logits[keep] / t)
        return -float(np.mean([np.logaddexp.reduce([logp[r, index[a]] for a in answers[k] if a in index]) for r, k in enumerate(keep)]))

    return round(float(min(np.geomspace(0.5, 3, 60), key=loss)), 3)
