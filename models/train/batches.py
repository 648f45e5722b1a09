"""Draws training batches on a background thread: photos, sentences and the table of what is true."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass

import numpy as np
import torch

from .captions import Captioner, fill
from .photos import Photos, normalise
from .tokens import Encoder

# Share of each source in a batch; tiny_imagenet carries most of what can be learnt, small sources overfit.
SHARES = {
    "tiny_imagenet": 0.54,
    "coco_captions": 0.09,
    "caltech101": 0.09,
    "sports15": 0.06,
    "pacs_photo": 0.04,
    "intel_scenes": 0.045,
    "viic_sports": 0.035,
    "voc_vehicles": 0.03,
    "grocery81": 0.03,
    "weather5": 0.025,
    "clothing10": 0.025,
    "flowers5": 0.015,
    "scene15_grey": 0.02,
    "daquar_rooms": 0.015,
    "coco128": 0.01,
}


@dataclass
class Batch:
    pixels: torch.Tensor  # float32 (B,3,S,S) channels-last
    texts: list[tuple[torch.Tensor, torch.Tensor]]  # token groups (short ones, long ones)
    weight: torch.Tensor  # float32 (B,U): how much caption u counts for photo b, 0 where false
    label: torch.Tensor  # int64 (B,), -1 none
    allowed: torch.Tensor  # bool (B,Labels): labels of the photo's own source
    fresh: torch.Tensor  # int64 (F,): labels encoded anew in this step
    fresh_texts: tuple[torch.Tensor, torch.Tensor]


class Sampler:
    def __init__(self, photos: Photos, captioner: Captioner, encoder: Encoder, size: int, batch: int, seed: int, fresh: int = 64):
        self.photos, self.captioner, self.encoder = photos, captioner, encoder
        self.size, self.batch, self.fresh = size, batch, fresh
        self.rng = np.random.default_rng(seed)
        by: dict[str, list[int]] = {}
        for i, row in enumerate(photos.rows):
            if row.get("split") == "train":
                by.setdefault(row["source"], []).append(i)
        self.pools = {s: np.array(v) for s, v in by.items()}
        self.names = list(self.pools)
        p = np.array([SHARES[s] for s in self.names])
        self.p = p / p.sum()
        self.decks = {s: np.array([], dtype=np.int64) for s in self.names}
        self.allowed = {s: np.isin(np.arange(len(captioner.labels)), captioner.source_labels.get(s, [])) for s in self.names}
        self.queue: queue.Queue[Batch] = queue.Queue(maxsize=3)
        self.stopped = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def deal(self, source: str, n: int) -> np.ndarray:
        """n photos of a source without replacement until its deck is used up."""
        out = []
        while n > 0:
            if len(self.decks[source]) == 0:
                self.decks[source] = self.rng.permutation(self.pools[source])
            take, self.decks[source] = self.decks[source][:n], self.decks[source][n:]
            out.append(take)
            n -= len(take)
        return np.concatenate(out)

    def draw(self) -> Batch:
        rng, cap = self.rng, self.captioner
        counts = rng.multinomial(self.batch, self.p)
        indices = np.concatenate([self.deal(s, c) for s, c in zip(self.names, counts) if c])
        pixels = normalise(self.photos.batch(indices, self.size, rng), rng)
        unique: dict[str, int] = {}
        captions, owner = [], []
        for b, i in enumerate(indices):
            c = cap.write(i, rng)
            if c.text not in unique:
                unique[c.text] = len(captions)
                captions.append(c)
                owner.append(b)
        lengths = np.array([len(self.encoder.ids(c.text)) for c in captions])
        order = np.argsort(lengths, kind="stable")
        captions, owner = [captions[k] for k in order], [owner[k] for k in order]
        cut = int((lengths <= 9).sum())
        groups = [g for g in (captions[:cut], captions[cut:]) if g]
        truth = cap.true_of(indices, captions, owner).astype(np.float32)
        weight = truth / np.sqrt(np.maximum(truth.sum(0, keepdims=True), 1))  # a caption true of many says less of each
        fresh = rng.choice(len(cap.labels), self.fresh, replace=False)
        texts = [fill(cap.template(rng), cap.labels[k].lower()) for k in fresh]
        sources = [self.photos.rows[i]["source"] for i in indices]
        return Batch(
            pixels,
            [self.encoder([c.text for c in g]) for g in groups],
            torch.from_numpy(weight),
            torch.from_numpy(cap.label[indices].astype(np.int64)),
            torch.from_numpy(np.stack([self.allowed[s] for s in sources])),
            torch.from_numpy(fresh),
            self.encoder(texts),
        )

    def run(self) -> None:
        torch.set_num_threads(1)
        while not self.stopped:
            item = self.draw()
            while not self.stopped:
                try:
                    self.queue.put(item, timeout=1)
                    break
                except queue.Full:
                    continue

    def next(self) -> Batch:
        return self.queue.get()

    def close(self) -> None:
        self.stopped = True
        self.thread.join(timeout=10)
