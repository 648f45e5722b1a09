"""Writes the sentences a photo is trained with, and knows which of them are true of which other photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .concepts import Concepts
from .photos import COLOURS, Photos

TEMPLATES = [
    ("{}", 8),
    ("a {}", 4),
    ("the {}", 2),
    ("{s}", 3),
    ("some {s}", 1),
    ("many {s}", 0.5),
    ("two {s}", 0.5),
    ("a photo of a {}", 4),
    ("a photo of {}", 2),
    ("a photo of the {}", 1),
    ("photo of a {}", 1),
    ("a picture of a {}", 2),
    ("picture of {s}", 1),
    ("an image of a {}", 1),
    ("a close-up of a {}", 1),
    ("a small photo of a {}", 0.5),
    ("a blurry photo of a {}", 0.5),
    ("a good photo of a {}", 0.5),
    ("my {}", 0.5),
    ("one {}", 0.5),
    ("there is a {}", 0.5),
    ("this is a {}", 0.5),
    ("{} outside", 0.2),
    ("{} photo", 0.5),
    ("a photo with a {}", 0.5),
    ("a {} in the picture", 0.3),
    ("photos of {s}", 0.7),
    ("{} close up", 0.3),
]
COLOUR_TEMPLATES = [
    "{c} {}",
    "{c} {}",
    "a {c} {}",
    "a photo of a {c} {}",
    "the {c} {}",
    "{c} {s}",
    "a {} that is {c}",
    "photo of a {c} {}",
    "{} in {c}",
]
EVAL_TEMPLATES = ["{}", "a photo of a {}", "a picture of a {}", "a close-up of a {}", "photos of {s}"]
NO_ARTICLE = {
    "people",
    "nature",
    "food",
    "wildlife",
    "clothing",
    "clothes",
    "furniture",
    "water",
    "snow",
    "ice",
    "fog",
    "rain",
    "grass",
    "music",
    "sand",
    "mist",
    "sunshine",
}


def plural(phrase: str) -> str:
    if phrase.endswith("s") or phrase in NO_ARTICLE:
        return phrase
    if phrase.endswith(("ch", "sh", "x")):
        return phrase + "es"
    if phrase.endswith("y") and phrase[-2:-1] not in "aeiou":
        return phrase[:-1] + "ies"
    return phrase + "s"


def fill(template: str, phrase: str, colour: str = "") -> str:
    """Puts a phrase in a template, with a/an where English wants it and no article before plurals."""
    bare = (phrase.endswith("s") and not phrase.endswith("ss")) or phrase in NO_ARTICLE or phrase.endswith(("weather", "sky", "ing"))
    words = template.replace("{c}", colour).replace("{s}", plural(phrase)).replace("{}", phrase).split()
    at = (template.replace("{c}", "c").split() + ["-"]).index("{}") - 1 if "{}" in template.split() else -1
    out = []
    for k, word in enumerate(words):
        if word == "a" and k + 1 < len(words):
            target_next = k == at or (k + 1 <= at and words[k + 1] == colour)
            if target_next and bare:
                continue
            if words[k + 1][0] in "aeiou":
                word = "an"
        out.append(word)
    return " ".join(out)


@dataclass
class Caption:
    text: str
    phrase: int  # id of the one phrase it claims, or -1: a sentence held true of its own photo only
    colour: int  # index in COLOURS that it claims, or -1


class Captioner:
    def __init__(self, photos: Photos, concepts: Concepts):
        self.colours = photos.colours
        self.phrase_id: dict[str, int] = {}
        self.phrases: list[str] = []
        kind_id: dict[tuple, int] = {}
        self.kinds: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
        self.kind = np.zeros(len(photos.rows), dtype=np.int32)
        self.free: list[list[str]] = []
        self.labels: list[str] = []
        label_id: dict[str, int] = {}
        self.label = np.full(len(photos.rows), -1, dtype=np.int32)
        self.source_labels: dict[str, list[int]] = {}
        for i, row in enumerate(photos.rows):
            names, above, free = self.describe(row, concepts)
            self.free.append(free)
            key = (tuple(names), tuple(above))
            if key not in kind_id:
                kind_id[key] = len(self.kinds)
                self.kinds.append(key)
                for p in names + above:
                    if p not in self.phrase_id:
                        self.phrase_id[p] = len(self.phrases)
                        self.phrases.append(p)
            self.kind[i] = kind_id[key]
            label = row.get("label")
            if label and row["source"] != "daquar_rooms":
                self.label[i] = label_id.setdefault(label, len(label_id))
                members = self.source_labels.setdefault(row["source"], [])
                if self.label[i] not in members:
                    members.append(int(self.label[i]))
        self.labels = list(label_id)
        self.truth = np.zeros((len(self.kinds), len(self.phrases)), dtype=bool)
        for k, (names, above) in enumerate(self.kinds):
            for p in names + above:
                self.truth[k, self.phrase_id[p]] = True
        self.has_colour = self.colours > 0.22
        bright = COLOURS.index("black")
        self.main_colour = [[int(c) for c in np.flatnonzero(share > 0.3) if c < bright or share[c] > 0.5] for share in self.colours]
        weights = np.array([w for _, w in TEMPLATES])
        self.template_cdf = np.cumsum(weights / weights.sum())
        self.frequency = self.truth.sum(0)

    @staticmethod
    def describe(row: dict, concepts: Concepts) -> tuple[list[str], list[str], list[str]]:
        """(names, hypernyms, sentences) of an index row."""
        names: list[str] = []
        above: list[str] = []
        free = [c.lower() for c in row.get("captions", [])]
        things = ([row["label"]] if row.get("label") else []) + list(row.get("objects", {}))
        if not row.get("wnid"):
            for caption in free:
                things += concepts.in_caption(caption)
        for k, thing in enumerate(dict.fromkeys(things)):
            n, a = concepts.of(thing, row.get("wnid"))
            names += n if k == 0 and row.get("label") else n[:1]
            above += a
        names = list(dict.fromkeys(names))
        return names, [a for a in dict.fromkeys(above) if a not in names], free

    def corpus(self, photos: Photos) -> list[str]:
        """Lines the tokenizer is trained on: sentences of the train split, and every phrase and its plural."""
        lines = []
        for i, row in enumerate(photos.rows):
            if row.get("split") == "train":
                lines += self.free[i]
        for p in self.phrases:
            lines += [p, p, plural(p)]
        lines += [t.replace("{}", "").replace("{s}", "").replace("{c}", "") for t, _ in TEMPLATES] * 2 + COLOURS * 3
        return lines

    def template(self, rng: np.random.Generator) -> str:
        return TEMPLATES[int(np.searchsorted(self.template_cdf, rng.random()))][0]

    def write(self, i: int, rng: np.random.Generator) -> Caption:
        names, above = self.kinds[self.kind[i]]
        free = self.free[i]
        if free and (not names or rng.random() < 0.65):
            words = free[rng.integers(len(free))].split()
            r = rng.random()
            if r < 0.3 and len(words) > 5:  # a part of the sentence
                n = int(rng.integers(4, len(words)))
                at = int(rng.integers(0, len(words) - n + 1))
                words = words[at : at + n]
            elif r < 0.6 and len(words) > 4:  # words missing, as in a query
                words = [w for w in words if rng.random() > 0.2] or words
            return Caption(" ".join(words), -1, -1)
        r = rng.random()
        if above and r < 0.3:
            k = min(int(rng.exponential(5)), len(above) - 1)
            phrase = above[k]
        elif r < 0.5:
            phrase = names[rng.integers(len(names))]
        else:
            phrase = names[0] if self.label[i] >= 0 else names[rng.integers(len(names))]
        pid = self.phrase_id[phrase]
        colours = self.main_colour[i]
        if colours and rng.random() < 0.13:
            c = colours[rng.integers(len(colours))]
            return Caption(fill(COLOUR_TEMPLATES[rng.integers(len(COLOUR_TEMPLATES))], phrase, COLOURS[c]), pid, c)
        return Caption(fill(self.template(rng), phrase), pid, -1)

    def true_of(self, indices: np.ndarray, captions: list[Caption], owner: list[int]) -> np.ndarray:
        """bool (B,U): caption u is true of photo indices[b]. owner[u] = the row b it was written for."""
        phrase = np.array([c.phrase for c in captions])
        colour = np.array([c.colour for c in captions])
        known = self.truth[self.kind[indices]][:, np.maximum(phrase, 0)] & (phrase >= 0)
        coloured = self.has_colour[indices][:, np.maximum(colour, 0)] | (colour < 0)
        truth = known & coloured
        truth[np.array(owner), np.arange(len(captions))] = True
        return truth
