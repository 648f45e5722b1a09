"""Runs an exported decoder with onnxruntime as the app does: one token at a time over a cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort


def session(path: Path) -> ort.InferenceSession:
    return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(path: Path, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = session(path)
    names = [output.name for output in found.get_outputs()]
    return dict(zip(names, found.run(names, feeds)))


class DecoderRunner:
    def __init__(self, path: Path, layers: int, heads: int, head_width: int):
        self.session = session(path)
        self.names = [output.name for output in self.session.get_outputs()]
        self.empty = {
            f"past.{i}.{kind}": np.zeros((1, heads, 0, head_width), np.float32) for i in range(layers) for kind in ("key", "value")
        }

    def step(self, ids: list[int], past: dict[str, np.ndarray], cross: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """-> logits (T, V) and the cache that the next step takes."""
        found = dict(zip(self.names, self.session.run(self.names, {"input_ids": np.array([ids]), **past, **cross})))
        logits = found.pop("logits")[0]
        return logits, {name.replace("present", "past"): value for name, value in found.items()}

    def greedy(self, start: list[int], cross: dict[str, np.ndarray], eos: int, longest: int) -> tuple[list[int], np.ndarray]:
        """-> new tokens, the last one `eos` if it came to that, and the logits (tokens, V) that they were chosen by."""
        tokens, rows, past, ids = [], [], self.empty, start
        while len(tokens) < longest and tokens[-1:] != [eos]:
            logits, past = self.step(ids, past, cross)
            rows.append(logits[-1])
            tokens.append(int(logits[-1].argmax()))
            ids = [tokens[-1]]
        return tokens, np.stack(rows)
