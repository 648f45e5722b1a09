"""What may truly be said of a photo: names, synonyms and hypernyms of its labels and objects."""

from __future__ import annotations

import re
from pathlib import Path

from .wordnet import WordNet

WORDS = Path(__file__).with_name("words.txt")


def read_words() -> tuple[dict[str, tuple[str, int | str]], dict[str, list[str]], set[str]]:
    """(senses, extra, caption nouns) from words.txt."""
    sections: dict[str, list[str]] = {}
    for line in WORDS.read_text().splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            current.append(line)
    senses: dict[str, tuple[str, int | str]] = {}
    for line in sections["senses"]:
        label, value = line.split(": ", 1)
        word, which = value.split(", ")
        senses[label] = (word, int(which) if which.isdigit() else which)
    extra = {label: value.split(", ") for label, value in (line.split(": ", 1) for line in sections["extra"])}
    return senses, extra, {noun for line in sections["caption nouns"] for noun in line.split()}


SENSES, EXTRA, CAPTION_NOUNS = read_words()


def singular(word: str) -> str:
    for suffix, to in (("sses", "ss"), ("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("ves", "f"), ("s", "")):
        if word.endswith(suffix) and len(word) > len(suffix) + 2 and not word.endswith(("ss", "us", "skis")):
            return word[: -len(suffix)] + to
    return word


class Concepts:
    def __init__(self, wordnet: WordNet):
        self.wordnet = wordnet
        self.cache: dict[tuple[str, str | None], tuple[list[str], list[str]]] = {}

    def of(self, label: str, wnid: str | None = None) -> tuple[list[str], list[str]]:
        """(names, hypernyms) of a label, lower case, most usual first, without duplicates."""
        key = (label, wnid)
        if key in self.cache:
            return self.cache[key]
        if wnid:
            offset = int(wnid[1:])  # ImageNet's ids are WordNet 3.0 noun offsets
        else:
            word, sense = SENSES.get(label, (label, 1))
            offset = self.sense(word, sense)
        names = [label.lower()]
        above: list[str] = []
        extra = EXTRA.get(label, [])
        if offset:
            names += self.wordnet.names(offset)
            above = self.wordnet.hypernym_names(offset)
        names = list(dict.fromkeys(names))
        above = [h for h in dict.fromkeys(extra + above) if h not in names]
        self.cache[key] = (names, above)
        return names, above

    def sense(self, word: str, which: int | str) -> int | None:
        if isinstance(which, int):
            return self.wordnet.first_sense(word, which)
        for offset in self.wordnet.index.get(word.lower().replace(" ", "_"), []):
            if which in self.wordnet.hypernym_names(offset):
                return offset
        return None

    def in_caption(self, text: str) -> list[str]:
        words = [w for w in re.findall(r"[a-z]+", text.lower())]
        found = [w if w in CAPTION_NOUNS else singular(w) for w in words]
        alias = {
            "men": "man",
            "women": "woman",
            "children": "child",
            "kids": "child",
            "skiing": "skis",
            "surfer": "surfboard",
            "skateboarder": "skateboard",
            "guy": "man",
            "lady": "woman",
            "motorbike": "motorcycle",
            "cattle": "cow",
            "puppy": "dog",
            "kitten": "cat",
        }
        found += [alias[w] for w in words if w in alias]
        return list(dict.fromkeys(w for w in found if w in CAPTION_NOUNS))
