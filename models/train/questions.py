"""Writes questions about a photo with answers that are known to be true, in many wordings, some of them kept for testing."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from .answers import CATEGORY, MOST
from .concepts import CAPTION_NOUNS
from .facts import WEATHER, Facts
from .look import Look
from .photos import COLOURS
from .sentences import article, plural
from .wordings import KINDS, UNANSWERABLE, WORDINGS

GENERIC = {
    "man",
    "woman",
    "person",
    "people",
    "boy",
    "girl",
    "child",
    "sky",
    "table",
    "window",
    "grass",
    "street",
    "food",
    "plate",
    "chair",
    "player",
    "players",
    "field",
    "hat",
}
PEOPLE = {"man", "woman", "person", "people", "boy", "girl", "child", "baby", "player", "players"}
# Things that are in nearly every photo with the label, for photos whose label is no thing.
PRESENT = {
    "skiing": ["snow", "person"], "surfing": ["wave", "water", "surfboard", "person"], "swimming": ["water", "person"], "horse riding": ["horse", "person"],
    "cycling": ["bicycle", "person"], "tennis": ["player", "person"], "baseball": ["player", "person"], "soccer": ["player", "person"],
    "basketball": ["player", "person"], "volleyball": ["player", "person"], "badminton": ["player", "person"], "boxing": ["person"], "golf": ["grass", "person"],
    "archery": ["person"], "track and field athletics": ["person"], "forest": ["tree"], "sea": ["water"], "coast": ["water"], "seashore": ["water"],
    "lake shore": ["water"], "glacier": ["snow"], "alpine mountain": ["mountain"], "mountain": ["mountain"], "highway": ["road"], "street": ["road"],
    "buildings": ["building"], "tall building": ["building"], "inside city": ["building"], "suburb": ["house"], "bedroom": ["bed"],
    "cloudy sky": ["sky", "cloud"], "sunny sky": ["sky"], "sunrise or sunset": ["sky"],
}  # fmt: skip
# Too usual to be called absent where nobody wrote down all that is there.
ANYWHERE = {"sky", "tree", "grass", "water", "table", "window", "wall", "street", "road", "field", "plate", "chair", "food", "hat", "building", "plant"}
# Where they are known to be missing all the same.
INSIDE = {"room", "clothing", "furniture", "musical instrument", "fruit", "vegetable", "food"}
OUTSIDE = {"scene", "weather", "sport", "vehicle", "animal", "flower"}
MISSING = {"sky": INSIDE, "water": INSIDE | {"sport", "flower"}, "tree": INSIDE, "grass": INSIDE, "street": INSIDE, "road": INSIDE, "building": INSIDE | {"flower", "animal"},
           "food": OUTSIDE | {"clothing", "musical instrument"}, "plant": {"clothing", "musical instrument", "vehicle"}}  # fmt: skip
NO_PEOPLE = {"grocery81", "flowers5"}
EMPTY_GROUPS = {"animal", "fruit", "vegetable", "flower"}  # photos with one of these labels rarely show anyone
LANDSCAPE = {"scene", "weather"}


@dataclass
class Asked:
    question: str
    answers: list[str]  # true answers; empty: no one could know
    kind: str


class Asker:
    """Asks about photos; its lists of what else there is in the world come from the facts of all photos."""

    def __init__(self, facts: list[Facts]):
        self.by_group: dict[str, list[Facts]] = {}
        seen = set()
        for f in facts:
            if f.say and (f.say, f.group) not in seen and f.group not in ("sport", "weather"):
                seen.add((f.say, f.group))
                self.by_group.setdefault(f.group, []).append(f)
        self.above = {f.say: frozenset(f.above) for group in self.by_group.values() for f in group}
        self.groups = list(self.by_group)
        self.owed: dict[str, int] = {}  # thing -> how much oftener "is there a ..." was a yes than a no

    def ask(self, facts: Facts, look: Look, rng: np.random.Generator, held_out: bool = False, kind: str | None = None) -> Asked | None:
        """One question of a kind drawn by KINDS' weights among those that fit the photo, or of the kind given; None where none fits.

        held_out: worded as training never is.
        """
        if kind is None:
            fitting = [k for k in KINDS if self.fits(k, facts, look)]
            if not fitting:
                return None
            weights = np.array([KINDS[k] for k in fitting])
            kind = fitting[int(rng.choice(len(fitting), p=weights / weights.sum()))]
        elif not self.fits(kind, facts, look):
            return None
        if kind == "unanswerable":
            return Asked(UNANSWERABLE[held_out][int(rng.integers(len(UNANSWERABLE[held_out])))], [], kind)
        made = getattr(self, "_" + kind)(facts, look, rng)
        if made is None:
            return None
        key, words, answers = made
        wording = WORDINGS[key][held_out]
        text = wording[int(rng.integers(len(wording)))]
        for name, value in words.items():
            text = text.replace("{" + name + "}", value)
        return Asked(text, answers, kind)

    def fits(self, kind: str, f: Facts, look: Look) -> bool:
        if kind in ("what", "presence", "identity"):
            return bool(f.say or f.nouns or f.objects)
        if kind in ("group", "category"):
            return bool(f.say) and (f.group in CATEGORY or f.group == "scene") and not (kind == "category" and f.group in ("scene",))
        if kind == "colour":
            return (
                bool(look.thing and f.say and f.group not in ("scene", "weather", "room", "sport", "person"))
                or bool(look.around)
                or look.shares.max() > 0.5
            )
        if kind == "setting":
            return f.outdoors is not None
        if kind == "weather":
            return f.label in WEATHER or f.label in ("skiing", "glacier", "alpine mountain") or f.label == "sunrise or sunset"
        if kind == "count":
            return bool(f.objects or f.counts)
        if kind == "people":
            return bool(f.objects) or bool(set(f.nouns) & PEOPLE) or f.group in EMPTY_GROUPS | {"sport"} or f.source in NO_PEOPLE
        if kind == "daylight":
            return f.group in LANDSCAPE and f.label != "sunrise or sunset" and (look.light < 0.2 or look.light > 0.4)
        return kind in ("grey", "unanswerable")

    def _what(self, f: Facts, look: Look, rng: np.random.Generator):
        if f.say:
            return "what", {}, [f.say]
        things = [n for n in f.nouns if n not in ("table", "window", "sky")] or f.nouns or list(f.objects)
        return "what", {}, things[:3]

    def _group(self, f: Facts, look: Look, rng: np.random.Generator):
        return f"group:{f.group}", {"p": plural(f.group)}, [f.say]

    def _category(self, f: Facts, look: Look, rng: np.random.Generator):
        truth = "food" if f.group in ("fruit", "vegetable") and rng.random() < 0.5 else f.group
        if rng.random() < 0.4:
            others = [g for g in sorted(CATEGORY) if g != f.group and not (g in ("food", "plant", "fruit", "vegetable", "flower"))]
            pair = [article(truth), article(others[int(rng.integers(len(others)))])]
            rng.shuffle(pair)
            return "choice", {"x": pair[0], "y": pair[1]}, [truth]
        return "category", {}, [truth]

    def positive(self, f: Facts, rng: np.random.Generator) -> str | None:
        """Something that is there."""
        if f.label in PRESENT and (f.group in ("sport", "weather") or rng.random() < 0.5):
            return str(rng.choice(PRESENT[f.label]))
        if f.group in ("sport", "weather"):
            return None
        if f.objects:
            return str(rng.choice(list(f.objects)))
        if f.nouns:
            return str(rng.choice(f.nouns))
        if f.inside and rng.random() < 0.7:
            return str(rng.choice(f.inside))
        if not f.say:
            return None
        if f.group in ("scene", "room", "person") or rng.random() < 0.6:
            return f.say
        plain = [a for a in f.above[:8] if len(a.split()) <= 2 and not re.search(r" or | of |ing\b|s$|outdoors|indoors|nature|animate", a)]
        return plain[int(rng.integers(len(plain)))] if plain else f.say

    def negative(self, f: Facts, rng: np.random.Generator) -> str | None:
        """Something that is not there, half of the time of the same group as what is."""
        mine = {*f.names, *f.above, *f.nouns, *f.objects, *f.inside, *PRESENT.get(f.label or "", [])}
        if f.human and rng.random() < 0.5:
            others = sorted(CAPTION_NOUNS - mine - GENERIC)
            return others[int(rng.integers(len(others)))]
        for _ in range(8):
            group = f.group if f.group in self.by_group and rng.random() < 0.5 else self.groups[int(rng.integers(len(self.groups)))]
            if group == "person" or (group == "scene" and f.group == "scene" and rng.random() < 0.7):
                continue
            other = self.by_group[group][int(rng.integers(len(self.by_group[group])))]
            if (
                not mine & {*other.names, *other.say.split()}
                and f.say not in other.above
                and not (set(f.say.split()) & set(other.say.split()))
            ):
                return other.say
        return None

    def absent(self, f: Facts, rng: np.random.Generator) -> str | None:
        """Something that is not there and that was mostly asked for where it is.

        Without this "is there a dog" would nearly always be a yes, since "dog" is asked for above all of dogs.
        """
        mine = {*f.names, *f.above, *f.nouns, *f.objects, *f.inside, *PRESENT.get(f.label or "", [])}
        words = {word for name in mine for word in name.split()}
        empty = f.group in EMPTY_GROUPS or f.source in NO_PEOPLE
        things = [
            thing
            for thing, owed in self.owed.items()
            if owed > 0
            and not words & set(thing.split())
            and (thing not in ANYWHERE or (f.group in MISSING.get(thing, ()) and f.label not in ("surfing", "swimming")))
            and (empty or thing not in PEOPLE)
            and f.say not in self.above.get(thing, ())
        ]
        if not things:
            return None
        weights = np.array([self.owed[thing] for thing in things], dtype=float)
        return things[int(rng.choice(len(things), p=weights / weights.sum()))]

    def _presence(self, f: Facts, look: Look, rng: np.random.Generator):
        yes = rng.random() < 0.5
        thing = self.positive(f, rng) if yes else (rng.random() < 0.7 and self.absent(f, rng)) or self.negative(f, rng)
        if not thing:
            return None
        self.owed[thing] = self.owed.get(thing, 0) + (1 if yes else -1)
        return "presence", {"x": article(thing), "s": plural(thing), "n": thing}, ["yes" if yes else "no"]

    def _identity(self, f: Facts, look: Look, rng: np.random.Generator):
        """Is this a dog; is this a photo of an animal."""
        if not f.say or f.group in ("weather", "sport"):
            return None
        yes = rng.random() < 0.5
        thing = (
            (f.group if f.group in CATEGORY - {"furniture", "clothing"} and rng.random() < 0.35 else self.positive(f, rng))
            if yes
            else self.negative(f, rng)
        )
        if not yes and rng.random() < 0.35:
            others = sorted(CATEGORY - {f.group, "food", "plant", "room", "sport"} - set(f.above))
            thing = others[int(rng.integers(len(others)))]
        return None if thing is None else ("identity", {"x": article(thing), "n": thing}, ["yes" if yes else "no"])

    def _colour(self, f: Facts, look: Look, rng: np.random.Generator):
        named = f.say and f.group not in ("scene", "weather", "room", "sport", "person")
        ways = (
            (["thing", "thing", "thing?"] if named and look.thing else [])
            + (["around"] if look.around else [])
            + (["main"] if look.shares.max() > 0.5 else [])
        )
        way = ways[int(rng.integers(len(ways)))] if ways else None
        if way == "thing":
            word = f.group if f.group in ("animal", "flower", "vehicle", "fruit", "building") and rng.random() < 0.3 else f.say
            return "colour", {"n": word}, [look.thing]
        if way == "thing?":
            yes = rng.random() < 0.5
            clear = [c for k, c in enumerate(COLOURS) if look.shares[k] < 0.02]
            colour = look.thing if yes else clear[int(rng.integers(len(clear)))] if clear else None
            return None if colour is None else ("is colour", {"n": f.say, "c": colour}, ["yes" if yes else "no"])
        if way == "around":
            return "background", {}, [look.around]
        return None if way is None else ("main colour", {}, [COLOURS[int(look.shares.argmax())]])

    def _setting(self, f: Facts, look: Look, rng: np.random.Generator):
        if rng.random() < 0.6:
            return "setting", {}, ["outdoors" if f.outdoors else "indoors"]
        inside = rng.random() < 0.5
        return ("inside?" if inside else "outside?"), {}, ["yes" if inside != f.outdoors else "no"]

    def _weather(self, f: Facts, look: Look, rng: np.random.Generator):
        if f.label == "sunrise or sunset":
            return "time of day", {}, ["sunset"]
        truth = WEATHER.get(f.label or "", "snowy")
        if truth == "snowy" and f.label != "skiing":
            return None
        if rng.random() < 0.6:
            return "weather", {}, [truth]
        yes = rng.random() < 0.5
        others = [w for w in [*WEATHER.values(), "snowy"] if w != truth]
        return "is weather", {"w": truth if yes else others[int(rng.integers(len(others)))]}, ["yes" if yes else "no"]

    def _count(self, f: Facts, look: Look, rng: np.random.Generator):
        counts = {k: n for k, n in (f.objects or f.counts).items() if n <= MOST}
        if not f.objects:  # "a man" in a sentence says little on how many there are
            counts = {k: n for k, n in counts.items() if n > 1 or rng.random() < 0.3}
        if not counts:
            return None
        thing = list(counts)[int(rng.integers(len(counts)))]
        many = {"person": "people", "man": "men", "woman": "women", "child": "children", "sheep": "sheep", "knife": "knives"}.get(
            thing, plural(thing)
        )
        if f.objects and rng.random() < 0.06:
            absent = [t for t in ("cat", "dog", "car", "train", "bus", "person") if t not in f.objects]
            return "count", {"s": {"person": "people"}.get(t := absent[int(rng.integers(len(absent)))], plural(t))}, ["0"]
        return "count", {"s": many}, [str(counts[thing])]

    def _people(self, f: Facts, look: Look, rng: np.random.Generator):
        there = "person" in f.objects if f.objects else bool(set(f.nouns) & PEOPLE) or f.group == "sport"
        if there and (
            who := (
                f.person
                if f.person in ("man", "woman", "child")
                else next((n for n in f.nouns if n in ("man", "woman", "boy", "girl", "child")), "")
            )
        ):
            if rng.random() < 0.5:
                return "who", {}, [who]
        return "people", {}, ["yes" if there else "no"]

    def _daylight(self, f: Facts, look: Look, rng: np.random.Generator):
        return "daylight", {}, ["night" if look.light < 0.2 else "day"]

    def _grey(self, f: Facts, look: Look, rng: np.random.Generator):
        which = rng.random() < 0.5
        return ("grey?" if which else "coloured?"), {}, ["yes" if which == look.grey else "no"]
