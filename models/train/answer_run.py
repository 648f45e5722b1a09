"""Runs an answerer pack the way the app does: the starter's tower, then one pass over question and photo."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from .caption_run import log_softmax
from .runner import Pack
from .speech_export import session
from .tokens import Encoder


class AnswerPack:
    def __init__(self, folder: Path, starter: Path):
        self.starter = Pack(starter)
        self.about = json.loads((folder / "pack.json").read_text())
        self.classifier = session(folder / self.about["classifier"]["file"])
        self.answers = json.loads((folder / self.about["classifier"]["answers"]).read_text())
        self.tokens = Encoder(folder / "tokenizer.json")
        self.temperature = self.about.get("temperature", 1.0)

    def see(self, photo: Image.Image) -> dict[str, np.ndarray]:
        values = self.starter.pixels(photo)[None]
        return {"pixel_values": values, "patch_embeds": self.starter.vision.run(["patch_embeds"], {"pixel_values": values})[0]}

    def logits(self, seen: dict[str, np.ndarray], question: str) -> np.ndarray:
        """float32 (A,)."""
        ids, mask = self.tokens([question])
        return self.classifier.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy(), **seen})[0][0]

    def answer(self, photo: Image.Image, question: str, most: int = 5) -> list[tuple[str, float]]:
        """The likeliest answers with their probabilities, softmax(logits / temperature)."""
        chance = np.exp(log_softmax(self.logits(self.see(photo), question).astype(np.float64) / self.temperature))
        return [(self.answers[k], float(chance[k])) for k in np.argsort(-chance, kind="stable")[:most]]
