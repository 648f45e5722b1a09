"""The list of answers: what generated questions may have, and what DAQUAR's have."""

from __future__ import annotations

from .concepts import CAPTION_NOUNS
from .facts import WEATHER, Facts
from .photos import COLOURS

CATEGORY = {
    "animal",
    "fruit",
    "vegetable",
    "food",
    "flower",
    "vehicle",
    "clothing",
    "furniture",
    "building",
    "plant",
    "musical instrument",
    "sport",
    "room",
}
MOST = 10  # a count above it is not asked for


def daquar_answers(text: str) -> list[str]:
    parts = [p.strip().replace("_", " ").replace("refridgerator", "refrigerator") for p in text.split(",")]
    return [p for p in parts if p]


def answer_list(facts: list[Facts], least: int = 4) -> list[str]:
    """All answers there are: what questions.py's questions may have, and DAQUAR's that occur least times or more in training."""
    seen: dict[str, int] = {}
    for f in facts:
        if f.split == "train":
            for _, text in f.qa:
                for answer in daquar_answers(text):
                    seen[answer] = seen.get(answer, 0) + 1
    fixed = [
        "yes",
        "no",
        *map(str, range(MOST + 1)),
        *COLOURS,
        "indoors",
        "outdoors",
        "day",
        "night",
        "sunset",
        "snowy",
        *WEATHER.values(),
        *sorted(CATEGORY),
    ]
    said = sorted({f.say for f in facts if f.say}) + sorted(CAPTION_NOUNS) + ["people", "road", "cloud"]
    return list(dict.fromkeys([*fixed, *said, *sorted(a for a, n in seen.items() if n >= least)]))
