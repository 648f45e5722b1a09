"""Compares an export with the PyTorch model, and refuses it when they differ."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: The largest difference of a logit that rounding explains.
TOLERANCE = 1e-3


@dataclass
class Checks:
    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    largest: float = 0.0

    def note(self, ok: bool, line: str) -> None:
        (self.done if ok else self.failed).append(line)

    def close(self, about: str, found: np.ndarray, wanted: np.ndarray) -> None:
        if found.shape != wanted.shape:
            self.note(False, f"{about}: shape {found.shape} instead of {wanted.shape}")
            return
        difference = float(np.abs(found - wanted).max())
        self.largest = max(self.largest, difference)
        self.note(difference <= TOLERANCE, f"{about}: largest difference {difference:.2e}")

    def equal(self, about: str, found: object, wanted: object) -> None:
        self.note(found == wanted, f"{about}: {found}" if found == wanted else f"{about}: {found} instead of {wanted}")


def rounded(values: np.ndarray) -> list[list[float]]:
    return [[round(float(v), 4) for v in row] for row in values]
