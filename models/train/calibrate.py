"""Turns a model's own score into a probability of being right, on one half of val, and measures it on the other."""

from __future__ import annotations

import numpy as np


LEAST = 0.4  # what is less likely right than this is not said, however well all that is said does together


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def platt(x: np.ndarray, right: np.ndarray, rounds: int = 200) -> tuple[float, float]:
    """(slope, intercept) of the logistic regression of right on x, by Newton's method; targets smoothed as Platt (1999) does."""
    yes, no = right.sum(), (~right).sum()
    goal = np.where(right, (yes + 1) / (yes + 2), 1 / (no + 2))
    w, design = np.zeros(2), np.stack([x, np.ones_like(x)], 1)
    for _ in range(rounds):
        p = sigmoid(design @ w)
        curve = (design * (p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(curve, design.T @ (goal - p))
        w += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return float(w[0]), float(w[1])


def expected_error(chance: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over bins with equally many answers each."""
    order = np.array_split(np.argsort(chance, kind="stable"), bins)
    return float(sum(len(b) * abs(chance[b].mean() - right[b].mean()) for b in order if len(b)) / len(chance))


def threshold(chance: np.ndarray, right: np.ndarray, precision: float) -> float:
    """The lowest bound at and above which at least this share is right, and goes on being so for every higher one at half the coverage."""
    order = np.argsort(-chance, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= precision)
    return float(chance[order][good[-1]]) if len(good) else float(chance.max())


def spoken(chance: np.ndarray, right: np.ndarray, bound: float) -> dict[str, float]:
    """What a model that says "not sure" below bound says, and how much of it is right."""
    said = chance >= bound
    return {"coverage": round(float(said.mean()), 4), "precision": round(float(right[said].mean()), 4) if said.any() else 0.0}


def fitted(x: np.ndarray, right: np.ndarray, precision: float, seed: int = 0) -> dict:
    """Slope, intercept and notSureBelow fitted on a random half, and their figures on the other."""
    first = np.random.default_rng(seed).permutation(len(x)) < len(x) // 2
    slope, intercept = platt(x[first], right[first])
    chance = sigmoid(slope * x + intercept)
    bound = max(threshold(chance[first], right[first], precision), LEAST)
    return {
        "confidence": {"slope": round(slope, 4), "intercept": round(intercept, 4), "notSureBelow": round(bound, 3)},
        "held_out": {
            "items": int((~first).sum()),
            "right": round(float(right[~first].mean()), 4),
            "ece": round(expected_error(chance[~first], right[~first]), 4),
            **spoken(chance[~first], right[~first], bound),
        },
    }
