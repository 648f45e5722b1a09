"""Runs a captioner pack the way the app does: the starter's tower, the encoder once, the decoder token by token with its cache."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .runner import Pack
from .speech import HEADS, WIDTH
from .speech_export import names, session
from .tokens import Encoder


@dataclass
class Written:
    text: str
    ids: list[int]  # generated ones, without the end token
    mean: float  # mean log-probability of them and of the end token, where it came


def log_softmax(x: np.ndarray) -> np.ndarray:
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


class CaptionPack:
    def __init__(self, folder: Path, starter: Path):
        self.starter = Pack(starter)
        self.about = json.loads((folder / "pack.json").read_text())
        self.layers = self.about["decoder"]["layers"]
        self.encoder, self.decoder = session(folder / self.about["encoder"]["file"]), session(folder / self.about["decoder"]["file"])
        self.tokens = Encoder(folder / "tokenizer.json")
        self.bos, self.eos = (self.about["tokens"][k] for k in ("bos", "eos"))
        self.generation = self.about["generation"]

    def caption(self, photo: Image.Image, prompt: str = "") -> Written:
        values = self.starter.pixels(photo)[None]
        patches = self.starter.vision.run(["patch_embeds"], {"pixel_values": values})[0]
        return self.decode(patches, values, prompt)

    def decode(self, patches: np.ndarray, values: np.ndarray, prompt: str = "") -> Written:
        seen = dict(zip(names("cross", self.layers), self.encoder.run(None, {"patch_embeds": patches, "pixel_values": values})))
        start = [self.bos, *(self.tokens.tok.encode(prompt, add_special_tokens=False).ids if prompt else [])]
        return self.search(seen, start)

    def search(self, seen: dict[str, np.ndarray], start: list[int]) -> Written:
        """Beam search as the app does it: running sentences are ranked by their sum of log-probabilities, finished ones by
        sum / length ** lengthPenalty; with earlyStopping it ends as soon as there are as many finished ones as beams."""
        beams, most = self.generation["beams"], self.generation["maxNewTokens"]
        penalty, ngram = self.generation.get("lengthPenalty", 1.0), self.generation.get("noRepeatNgram", 0)
        past = {n: np.zeros((1, HEADS, 0, WIDTH // HEADS), np.float32) for n in names("past", self.layers)}
        ids, made, sums = np.array([start], np.int64), [[]], np.zeros(1)
        done: list[tuple[float, float, list[int]]] = []
        for count in range(1, most + 1):
            out = self.decoder.run(None, {"input_ids": ids, **past, **seen})
            logp = log_softmax(out[0][:, -1].astype(np.float64))
            if ngram:
                for b, sentence in enumerate(made):
                    logp[b, repeats([*start, *sentence], ngram)] = -np.inf
            total = sums[:, None] + logp
            order = [divmod(int(flat), total.shape[1]) for flat in np.argsort(-total, axis=None, kind="stable")[: 2 * beams]]
            ends = [token == self.eos or count == most for _, token in order]
            done += [(total[b, t] / count**penalty, total[b, t], [*made[b], t]) for (b, t), end in zip(order[:beams], ends) if end]
            done = sorted(done, key=lambda d: -d[0])[:beams]
            keep = [pair for pair, end in zip(order, ends) if not end][:beams]
            if not keep:
                break
            sums = np.array([total[b, t] for b, t in keep])
            made = [[*made[b], t] for b, t in keep]
            if len(done) == beams and (self.generation.get("earlyStopping") or sums[0] / count**penalty <= done[-1][0]):
                break
            ids = np.array([[t] for _, t in keep], np.int64)
            past = {n: v[[b for b, _ in keep]] for n, v in zip(names("past", self.layers), out[1:])}
        _, total_sum, best = done[0]
        words = [t for t in best if t != self.eos]
        return Written(self.tokens.tok.decode([*start[1:], *words]), words, float(total_sum / len(best)))


def repeats(ids: list[int], n: int) -> list[int]:
    """Tokens that would complete an n-gram that the sentence already has."""
    if len(ids) < n:
        return []
    tail = ids[len(ids) - n + 1 :] if n > 1 else []
    return [ids[k + n - 1] for k in range(len(ids) - n + 1) if ids[k : k + n - 1] == tail]
