"""What is known of a photo without looking at it: its label and names, group, setting, objects, human caption, questions."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .concepts import Concepts, singular

# How a caption or an answer says a label, then what else counts as naming it; other labels are said as they are.
SAY: dict[str, list[str]] = {
    "face of a person": ["face of a person", "face"],
    "buildings": ["buildings", "building"],
    "cloudy sky": ["cloudy sky", "cloudy", "clouds"],
    "foggy weather": ["foggy weather", "foggy", "fog"],
    "rainy weather": ["rainy weather", "rainy", "rain"],
    "sunny sky": ["sunny sky", "sunny"],
    "sunrise or sunset": ["sunset", "sunrise"],
    "horse riding": ["horse riding", "riding a horse"],
    "track and field athletics": ["athletics", "track and field"],
    "garfield cartoon cat": ["garfield cartoon cat", "garfield"],
    "snoopy cartoon dog": ["snoopy cartoon dog", "snoopy"],
    "fly insect": ["fly"],
    "industrial": ["industrial site", "factory", "industrial plant", "industrial"],
    "inside city": ["inner city"],
    "open country": ["open country", "countryside"],
    "alpine mountain": ["alpine mountain", "alp", "alps"],
    "tall building": ["tall building", "skyscraper", "high-rise"],
    "indoor room": ["indoor room"],
    "bass fish": ["bass fish", "bass"],
    "church vestment": ["church vestment", "vestment"],
    "carrots": ["carrots", "carrot"],
    "satsumas": ["satsumas", "satsuma"],
    "person": ["person"],
    "surfing": ["surfing", "surfer"],
    "skiing": ["skiing", "skier"],
    "cycling": ["cycling", "cyclist"],
    "swimming": ["swimming", "swimmer"],
    "boxing": ["boxing", "boxer"],
    "golf": ["golf", "golfer"],
}
ROOMS = {"bedroom", "kitchen", "living room", "office", "store", "indoor room", "barbershop", "butcher shop", "candy store", "bathroom"}
SCENES = {
    "buildings", "forest", "glacier", "mountain", "sea", "street", "coast", "highway", "industrial", "inside city", "open country",
    "suburb", "tall building", "seashore", "lake shore", "alpine mountain", "cliff",
}  # fmt: skip
WEATHER = {"cloudy sky": "cloudy", "foggy weather": "foggy", "rainy weather": "rainy", "sunny sky": "sunny"}
SPORT_SOURCES = {"sports15", "viic_sports"}
# Group -> words one of which is among the hypernyms; the first group that fits is the label's.
GROUPS = [
    ("flower", {"flower", "flowers"}),
    ("animal", {"animal", "animate being", "mammal", "pet", "dinosaur", "fish", "coral"}),
    ("fruit", {"fruit", "edible fruit", "citrus", "berry"}),
    ("vegetable", {"vegetable", "veggie"}),
    ("food", {"food", "drink", "dessert", "beverage", "dairy", "spice", "solid food", "carton"}),
    ("musical instrument", {"musical instrument"}),
    ("vehicle", {"vehicle", "boat", "ship", "aircraft", "car", "train", "bus", "wheeled vehicle"}),
    ("clothing", {"clothing", "clothes", "garment", "footwear", "swimwear", "hat"}),
    ("furniture", {"furniture", "piece of furniture", "seat", "table"}),
    ("building", {"building", "bridge", "tower", "monument", "landmark", "house", "dwelling", "span", "memorial"}),
    ("plant", {"plant", "tree"}),
]
PLAIN_GROUP = {"water lily": "flower", "lotus": "flower", "garlic": "vegetable", "mushroom": "vegetable", "airplane": "vehicle",
               "plate": "food", "guitar": "musical instrument", "acorn": "plant", "brain": "thing", "barrel": "thing",
               "anchor": "thing", "face of a person": "person", "person": "person", "dam": "building", "drumstick": "thing",
               "teddy bear": "thing", "refrigerator": "thing", "nautilus shell": "thing", "chain": "thing", "sunglasses": "thing"}  # fmt: skip
COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}


@dataclass
class Facts:
    source: str
    split: str
    file: str
    label: str | None = None
    say: str = ""  # the label's usual name
    names: list[str] = field(default_factory=list)  # all that count as naming the label
    above: list[str] = field(default_factory=list)  # what is also true of it, hypernyms among that
    group: str = ""
    objects: dict[str, int] = field(default_factory=dict)  # complete for coco128 and voc_vehicles
    inside: list[str] = field(default_factory=list)  # things that a room is known to hold
    human: list[str] = field(default_factory=list)
    nouns: list[str] = field(default_factory=list)  # things its human caption mentions
    counts: dict[str, int] = field(default_factory=dict)  # ... and how many of them
    person: str = ""  # woman, man, child or players, where most of a sport photo's glosses agree
    qa: list[tuple[str, str]] = field(default_factory=list)

    @property
    def outdoors(self) -> bool | None:
        if self.group == "room" or "indoors" in self.above:
            return False
        if self.group in ("scene", "weather") or "outdoors" in self.above or self.label in ("skiing", "surfing", "golf", "train", "bus"):
            return True
        return None


def tidy(text: str) -> str:
    """A human caption as we teach it: lower case, one space, no full stop."""
    text = re.sub(r"[^a-z0-9' ,-]", " ", text.lower().strip())
    text = re.sub(r"\s+", " ", text).replace(" ,", ",").replace("t v", "tv").strip(" ,.-")
    words = text.split()
    fixed = [
        ("an" if word == "a" and nxt[:1] in "aeio" and not nxt.startswith(("one", "eu")) else word)
        for word, nxt in zip(words, [*words[1:], ""])
    ]
    return " ".join(fixed)


def gather(rows: list[dict], concepts: Concepts, data: Path) -> list[Facts]:
    """One Facts a row of the index, in their order. grocery81's fine labels are never read."""
    asked: dict[str, list] = {}
    for line in (data / "index.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row.get("qa"):
            asked[row["file"]] = row["qa"]
    kinds: dict[tuple, tuple] = {}
    out = []
    for row in rows:
        facts = Facts(row["source"], row.get("split", "train"), row["file"])
        label = row.get("label")
        if label:
            key = (label, row.get("wnid"), row["source"] in SPORT_SOURCES)
            if key not in kinds:
                kinds[key] = describe(label, row.get("wnid"), row["source"], concepts)
            facts.label, (facts.say, facts.names, facts.above, facts.group) = label, kinds[key]
        facts.objects = row.get("objects") or {}
        if row["source"] == "daquar_rooms":
            facts.qa = [(q.lower(), a) for q, a in asked.get(row["file"], [])]
            facts.inside = room_things(row["captions"][0])
        elif row.get("caption_origin") == "human":
            facts.human = [t for t in map(tidy, row["captions"]) if 4 <= len(t.split()) <= 20]
            text = " ".join(facts.human)
            facts.nouns = concepts.in_caption(text)
            facts.counts = counted(text, facts.nouns)
        elif row["source"] == "viic_sports":
            facts.person = person_of(row["captions"])
            if not label:  # which things at least two of its glosses mention; their wording is not used
                found = Counter(n for g in row["captions"] for n in concepts.in_caption(g))
                facts.nouns = [n for n, times in found.most_common(4) if times >= 2]
        out.append(facts)
    return out


def describe(label: str, wnid: str | None, source: str, concepts: Concepts) -> tuple[str, list[str], list[str], str]:
    names, above = concepts.of(label, wnid)
    said = SAY.get(label, [label])
    names = list(dict.fromkeys([n.lower() for n in said] + names))
    if source in SPORT_SOURCES:
        group = "sport"
    elif label in ROOMS:
        group = "room"
    elif label in SCENES:
        group = "scene"
    elif label in WEATHER or label == "sunrise or sunset":
        group = "weather"
    else:
        group = PLAIN_GROUP.get(label) or next((g for g, words in GROUPS if words & {*above, label}), "thing")
    return said[0].lower(), names, above, group


def room_things(caption: str) -> list[str]:
    listed = caption.split(" with ", 1)[1] if " with " in caption else ""
    things = [re.sub(r"^(a|an) ", "", t.strip()) for t in re.split(r", | and ", listed)]
    return [t.replace("refridgerator", "refrigerator") for t in things if t]


def counted(text: str, nouns: list[str]) -> dict[str, int]:
    out: dict[str, int] = {}
    words = text.split()
    for k, word in enumerate(words):
        if word in COUNTS:
            for nxt in words[k + 1 : k + 4]:
                if nxt in ("of", "and", "with", "in", "on"):
                    break
                name = {"men": "man", "women": "woman", "children": "child"}.get(nxt, singular(nxt))
                if name in nouns or nxt in nouns:
                    out[name if name in nouns else nxt] = COUNTS[word]
                    break
    return out


def person_of(glosses: list[str]) -> str:
    def share(pattern: str) -> float:
        return float(np.mean([bool(re.search(pattern, g)) for g in glosses]))

    if share(r"\bplayers\b|\bteams?\b") >= 0.5:
        return "players"
    for word, pattern in (("woman", r"\b(woman|female|girl)\b"), ("child", r"\b(child|boy|children)\b"), ("man", r"\b(man|male)\b")):
        if share(pattern) >= 0.5 and share(r"\b(women|men|two|people|some)\b") < 0.3:
            return word
    return ""


def names_label(text: str, facts: Facts) -> bool:
    """Whether a sentence names the photo's label: one of its names as whole words, plural or not; hypernyms don't count."""
    padded = f" {re.sub(r'[^a-z0-9]+', ' ', text.lower())} "
    for name in facts.names:
        bare = re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()
        if any(f" {form} " in padded for form in (bare, bare + "s", bare + "es", re.sub("y$", "ies", bare), re.sub("f$", "ves", bare))):
            return True
    return False
