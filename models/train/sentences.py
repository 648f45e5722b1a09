"""Writes captions as a person might, from what is known of a photo and what is measured from its view."""

from __future__ import annotations

import numpy as np

from .captions import plural
from .facts import Facts
from .look import Look

MASS = {"people", "fruit", "food", "milk", "juice", "soy milk", "oat milk", "sour milk", "sour cream", "yoghurt", "oatghurt", "soyghurt", "garlic", "ginger",
        "guacamole", "espresso", "ice cream", "asparagus", "thatch", "open country", "paper", "clothes", "soap", "blinds", "exercise equipment",
        "excercise equipment", "broccoli", "pizza", "clothing", "furniture", "snow", "water", "grass"}  # fmt: skip
PAIRS = {"pants", "shorts", "swimming trunks", "sunglasses", "scissors", "binoculars", "shoes"}
CARTONS = {"milk", "juice", "soy milk", "oat milk", "sour milk"}
TUBS = {"sour cream", "yoghurt", "oatghurt", "soyghurt"}
NUMBERS = ["no", "one", "two", "three", "four", "five"]
ANIMAL_COLOURS = {"brown", "black", "white", "orange", "yellow"}
PEOPLE = {"man", "woman", "child", "boy", "girl"}
NO_COLOUR = {"scene", "weather", "room", "sport", "person"}
# What a photo of a sport may be called; {p} is a person, or what its glosses agree on.
SPORTS: dict[str, list[str]] = {
    "soccer": ["{p} playing soccer on a field", "a soccer player with the ball", "a soccer match on a field"],
    "tennis": ["{p} playing tennis on a court", "a tennis player with a racket", "a tennis player on the court"],
    "baseball": ["{p} playing baseball on a field", "a baseball player on the field", "a baseball player with a bat"],
    "basketball": ["{p} playing basketball", "basketball players on a court", "a basketball game"],
    "volleyball": ["{p} playing volleyball", "volleyball players at the net", "a volleyball match"],
    "badminton": ["{p} playing badminton", "a badminton player with a racket", "a badminton match on a court"],
    "boxing": ["two boxers in a boxing match", "{p} boxing in a ring", "a boxing match in a ring"],
    "cycling": ["{p} cycling on a road", "cyclists in a cycling race", "a cyclist riding a bicycle"],
    "golf": ["{p} playing golf on green grass", "a golfer on a golf course", "{p} swinging a golf club"],
    "horse riding": ["{p} riding a horse", "a rider on a horse in a horse riding event", "{p} horse riding"],
    "skiing": ["{p} skiing down a snowy slope", "a skier skiing in the snow", "{p} skiing on a mountain"],
    "surfing": ["{p} surfing on a wave", "a surfer riding a wave in the sea", "a surfer surfing a big wave"],
    "swimming": ["{p} swimming in a pool", "a swimmer in the water of a swimming pool", "a swimmer in a swimming race"],
    "archery": ["{p} practising archery with a bow", "an archer at an archery range", "{p} aiming an arrow in archery"],
    "track and field athletics": ["{p} running in athletics", "athletes in a track and field event", "an athlete at an athletics event"],
}
SCENES: dict[str, list[str]] = {
    "forest": ["a forest with tall trees", "many trees in a forest", "a path through a forest"],
    "mountain": ["a mountain landscape", "a view of a mountain", "a high mountain with rocks"],
    "glacier": ["a glacier of ice and snow", "snow and ice on a glacier", "a large glacier"],
    "sea": ["waves on the sea", "a view of the sea", "the sea and the shore"],
    "street": ["a street in a town", "a street with buildings on both sides", "a city street"],
    "buildings": ["tall buildings in a city", "a large building", "buildings in a city"],
    "coast": ["the coast by the sea", "a rocky coast", "a view of the coast"],
    "highway": ["a highway with cars", "a wide highway", "a road on a highway"],
    "industrial": ["the inside of an industrial site", "machines at an industrial site", "an industrial site"],
    "inside city": ["houses in the inner city", "a street in the inner city", "an inner city with buildings"],
    "open country": ["open country with fields", "a landscape of open country", "open country under a wide sky"],
    "suburb": ["a house in a suburb", "a suburb with houses and lawns", "a house with a lawn in a suburb"],
    "tall building": ["a tall building in a city", "a tall building", "a tall building with many windows"],
    "seashore": ["a seashore with sand and water", "waves at the seashore", "the seashore"],
    "lake shore": ["the water at a lake shore", "a lake shore with trees", "a quiet lake shore"],
    "alpine mountain": ["an alpine mountain with snow", "a view of an alpine mountain", "a high alpine mountain"],
    "cliff": ["a steep cliff of rock", "a rocky cliff", "a cliff"],
    "cloudy sky": ["clouds in a cloudy sky", "a cloudy sky", "a cloudy sky over the land"],
    "foggy weather": ["a foggy day", "trees and a road in foggy weather", "fog on a foggy morning"],
    "rainy weather": ["people in rainy weather", "a wet street on a rainy day", "a rainy day"],
    "sunny sky": ["a sunny day with a clear sky", "a sunny sky with a few clouds", "a bright sunny day"],
    "sunrise or sunset": ["a sunset over the horizon", "a sky at sunset", "the sun at sunset"],
    "bedroom": ["a bedroom with a bed", "a bed in a bedroom", "a tidy bedroom"],
    "kitchen": ["a kitchen with cabinets", "the inside of a kitchen", "a kitchen"],
    "living room": ["a living room with a sofa", "the inside of a living room", "a living room"],
    "office": ["an office with desks", "the inside of an office", "a desk in an office"],
    "store": ["the inside of a store", "shelves in a store", "a store full of things"],
}
LARGE = ["bed", "sofa", "toilet", "sink", "table", "bathtub", "stove", "refrigerator", "bookshelf", "television", "chair", "desk", "window",
         "cabinet", "door", "lamp", "mirror", "shelves", "curtain", "pillow"]  # fmt: skip


def article(phrase: str) -> str:
    if phrase == "sky":
        return "the sky"
    if phrase in MASS or phrase.split()[-1] in ("clothes", "blinds", "books", "shelves"):
        return phrase
    if phrase in PAIRS:
        return f"a pair of {phrase}"
    if phrase.endswith("s") and not phrase.endswith(("ss", "us", "bus")):
        return phrase
    return ("an " if phrase[0] in "aeiou" and not phrase.startswith(("uni", "euph", "one")) else "a ") + phrase


def listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def some(count: int, thing: str) -> str:
    if count == 1:
        return article(thing)
    many = {"person": "people", "knife": "knives", "sheep": "sheep", "skis": "skis", "bus": "buses"}.get(thing, plural(thing))
    return f"{NUMBERS[count]} {many}" if count < len(NUMBERS) else f"several {many}"


def coloured(facts: Facts, look: Look) -> str:
    """The colour that may be put before the label, or nothing."""
    if facts.group in NO_COLOUR or not look.thing or look.grey:
        return ""
    if facts.group == "animal" and look.thing not in ANIMAL_COLOURS:
        return ""
    if facts.group in ("flower", "plant", "building") and look.thing in ("green", "blue", "grey", "black", "brown"):
        return ""
    return "" if look.thing in facts.say.split() or any(c in facts.say for c in ("red ", "black ", "brown ", "golden")) else look.thing


def around(facts: Facts, look: Look) -> str:
    """A phrase on what lies around the thing, or nothing."""
    if look.grey:
        return ""
    if look.around in ("white", "black"):
        return f"on a {look.around} background"
    outdoor = facts.group in ("building", "vehicle") or facts.outdoors
    if outdoor and look.top == "blue" and look.around != "blue":
        return "under a blue sky"
    if facts.group in ("animal", "vehicle", "building") and look.bottom == "green":
        return "on green grass"
    if facts.group == "animal" and look.around == "blue":
        return "in blue water" if "fish" in facts.above or facts.say in ("dolphin", "jellyfish", "goldfish", "dugong", "sea slug") else ""
    return "with green leaves around it" if facts.group in ("flower", "fruit", "animal") and look.around == "green" else ""


def one_of(look: Look, choices: list[str]) -> str:
    """A wording by the photo's brightness: what varies by chance a decoder would never say, only be less sure of."""
    return choices[(0 if look.light < 0.4 else 1 if look.light < 0.53 else 2) % len(choices)]


def of_label(facts: Facts, look: Look) -> str:
    say, label = facts.say, facts.label or ""
    if facts.group == "sport":
        who = {"players": "people", "": "a person"}.get(facts.person, f"a {facts.person}")
        return one_of(look, SPORTS[label]).replace("{p}", who)
    if label in SCENES:
        return one_of(look, SCENES[label])
    if facts.group == "room":
        things = sorted((t for t in facts.inside if t in LARGE), key=LARGE.index)[:3]
        room = article(say)
        return (
            f"{room} with {listed([article(t) for t in things])}"
            if things
            else f"{room} with furniture"
            if label == "indoor room"
            else f"the inside of {room}"
        )
    if facts.group == "person":
        return one_of(
            look,
            ["a close-up of the face of a person", "a portrait, the face of a person"]
            if "face" in label
            else ["a portrait of a person", "a person"],
        )
    colour = coloured(facts, look)
    thing = f"{colour} {say}".strip()
    named = f"a carton of {thing}" if say in CARTONS else f"a tub of {thing}" if say in TUBS else article(thing)
    if say in PAIRS:
        named = f"a pair of {thing}"
    elif say in MASS and colour and say not in CARTONS | TUBS:
        named = thing
    where = around(facts, look)
    return f"{named} {where}".strip()


def caption(facts: Facts, look: Look, rng: np.random.Generator) -> str:
    """One sentence, lower case, no full stop; for a photo that nothing is known of, an empty one."""
    if facts.human:
        return facts.human[int(rng.integers(len(facts.human)))]
    if facts.objects:
        items = sorted(facts.objects.items(), key=lambda item: (item[0] != facts.label, item[0] != "person", -item[1]))[:3]
        parts = [some(n, thing) for thing, n in items]
        first, count = items[0]
        if count == 1 and facts.label and first == facts.label and (colour := coloured(facts, look)):
            parts[0] = article(f"{colour} {first}")
        text = listed(parts)
    elif facts.label:
        text = of_label(facts, look)
    elif facts.nouns:
        people = {"person", "people", "player", "players", facts.person}
        things = [n for n in facts.nouns if n not in people and n not in PEOPLE][:2]
        who = facts.person or next((n for n in facts.nouns if n in PEOPLE or n in people), "")
        text = listed([article(n) for n in ([who] if who else []) + things])
    else:
        return ""
    return f"a black and white photo of {text.removeprefix('a photo of ').removeprefix('a view of ')}" if look.grey else text
