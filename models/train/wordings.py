"""How questions are worded: for each kind those that training uses, and those kept for testing."""

from __future__ import annotations

import re

import numpy as np

# Kind of question -> how often it is asked where it fits.
KINDS = {
    "what": 5.0,
    "group": 3.0,
    "category": 1.2,
    "presence": 4.5,
    "identity": 1.5,
    "colour": 3.0,
    "setting": 1.5,
    "weather": 6.0,
    "count": 5.0,
    "people": 1.0,
    "daylight": 0.7,
    "grey": 0.25,
    "unanswerable": 0.3,
}
# Answers of these can be measured or guessed by no one from a small photo: a model should not be sure of any.
UNANSWERABLE = (
    ["what is his name", "what is her name", "who is this person", "what time is it", "who took this photo", "when was this taken", "what year is it",
     "how old is she", "how old is he", "what does the sign say", "what is written there", "what brand is it", "how much does it cost", "why is he there",
     "what is she thinking", "what will happen next", "what is the phone number", "what language is this", "how far away is it", "how heavy is it",
     "what does it smell like", "hello", "tell me a joke", "what is two plus two", "who won", "which country is this", "what is the name of this street",
     "how tall is it", "what is behind the camera", "why", "asdf", "thank you", "who is the president", "what is the meaning of life"],
    ["what is the name of the person", "what date was it", "what does the text say", "who owns this", "how much does this weigh", "what song is playing",
     "which city is this", "what happened before", "what is the price", "good morning"],
)  # fmt: skip
GROUP_TRAIN = ["what {g} is this", "which {g} is it", "what kind of {g} is this", "what {g} is in the photo", "which {g} is shown", "what {g} do you see",
               "what type of {g} is it", "name the {g}", "what {g} is that"]  # fmt: skip
GROUP_TEST = ["which kind of {g} can be seen here", "can you tell which {g} this is"]


def grouped(*words: str) -> tuple[list[str], list[str]]:
    return [t.replace("{g}", w) for w in words for t in GROUP_TRAIN], [t.replace("{g}", w) for w in words[:1] for t in GROUP_TEST]


# Key -> (wordings of training, wordings of testing).
WORDINGS: dict[str, tuple[list[str], list[str]]] = {
    "what": (
        ["what is this", "what is it", "what is that", "what is in the photo", "what is in the picture", "what is in this image", "what do you see", "what can you see",
         "what does the photo show", "what is shown", "what is shown here", "what's this", "name the main thing", "what is the main object", "what is the photo of",
         "what is this a picture of", "describe the photo", "what am i looking at", "what is this thing called", "what are these"],
        ["what can be seen in this picture", "what does this image contain", "tell me what this is", "what is the subject of the photo"],
    ),
    "group:sport": (
        ["which sport is this", "what sport is this", "what sport are they playing", "what are they playing", "what game is this", "what sport is being played",
         "which sport is shown", "what is the sport", "what kind of sport is it", "what are the people doing", "what is the person doing", "what activity is this"],
        ["which sport can be seen here", "what is being played", "what sport do they do"],
    ),
    "group:scene": (
        ["what place is this", "where is this", "where was this taken", "what kind of place is it", "what scene is this", "what kind of landscape is this",
         "where was the photo taken", "what type of scene is shown", "what sort of place is shown"],
        ["which kind of place can be seen here", "what is the location"],
    ),
    "group:room": (
        ["what room is this", "which room is it", "what kind of room is this", "where is this", "where was this taken", "what room is shown", "which room is in the photo",
         "what type of room is it", "what place is this"],
        ["which kind of room can be seen here", "in which room was this taken"],
    ),
    "group:animal": grouped("animal", "creature"),
    "group:fruit": grouped("fruit", "food"),
    "group:vegetable": grouped("vegetable", "food"),
    "group:food": grouped("food", "food or drink"),
    "group:flower": grouped("flower", "plant"),
    "group:plant": grouped("plant"),
    "group:vehicle": grouped("vehicle", "kind of transport"),
    "group:clothing": grouped("piece of clothing", "clothing", "garment"),
    "group:furniture": grouped("furniture", "piece of furniture"),
    "group:building": grouped("building", "structure"),
    "group:musical instrument": grouped("instrument", "musical instrument"),
    "category": (
        ["what kind of thing is this", "what sort of thing is it", "what category does this belong to", "what type of object is this", "what kind of object is it",
         "what class of thing is this", "what group does it belong to", "is this an animal, a vehicle or something else"],
        ["to which category does this belong", "what general kind of thing is this"],
    ),
    "choice": (
        ["is this {x} or {y}", "is it {x} or {y}", "{x} or {y}", "does the photo show {x} or {y}", "do you see {x} or {y}", "is that {x} or {y}"],
        ["which is it, {x} or {y}", "would you say this is {x} or {y}"],
    ),
    "presence": (
        ["is there {x}", "is there {x} in the photo", "is there {x} in the picture", "do you see {x}", "can you see {x}", "are there any {s}", "are there any {s} in the photo",
         "does the photo show {x}", "is {x} in this picture", "does it contain {x}", "are there {s}", "is there any {n}", "is there {x} here", "do you see any {s}",
         "does this have {x}", "has it got {x}"],
        ["is {x} visible", "can {x} be seen", "does {x} appear in this image"],
    ),
    "identity": (
        ["is this {x}", "is it {x}", "is that {x}", "is this a photo of {x}", "is this a picture of {x}", "does this look like {x}", "is the main thing {x}", "is this really {x}"],
        ["would you call this {x}", "am i looking at {x}"],
    ),
    "colour": (
        ["what colour is the {n}", "what color is the {n}", "what is the colour of the {n}", "what is the color of the {n}", "which colour does the {n} have", "what colour is it",
         "what color is it", "what colour is this {n}", "the {n} is what color", "what color does the {n} have"],
        ["which color is the {n}", "tell me the colour of the {n}"],
    ),
    "is colour": (
        ["is the {n} {c}", "is this {n} {c}", "is it {c}", "is the colour of the {n} {c}", "is this a {c} {n}", "do you see a {c} {n}"],
        ["would you call the {n} {c}", "does the {n} look {c}"],
    ),
    "background": (
        ["what colour is the background", "what color is the background", "what is the colour of the background", "what color is behind it", "which colour is the background",
         "what is the background color"],
        ["what colour surrounds it", "which color does the background have"],
    ),
    "main colour": (
        ["what is the main colour", "what is the main color", "which colour is most common", "what colour is most of the photo", "what is the dominant color",
         "what color is most of the picture"],
        ["which color dominates", "what is the most frequent colour"],
    ),
    "setting": (
        ["is this indoors or outdoors", "indoors or outdoors", "is it inside or outside", "is this inside or outside", "was this taken indoors or outdoors", "is the photo indoors or outdoors",
         "is this an indoor or an outdoor photo", "was the picture taken inside or outside"],
        ["is this scene inside or outdoors", "would you say this is outdoors or indoors"],
    ),
    "inside?": (
        ["is this indoors", "is it inside", "was this taken indoors", "is this inside a building", "is this an indoor photo", "are we indoors"],
        ["is this scene indoors", "does this look like indoors"],
    ),
    "outside?": (
        ["is this outdoors", "is it outside", "was this taken outside", "is this outside", "is this an outdoor photo", "are we outdoors"],
        ["is this scene outdoors", "does this look like outdoors"],
    ),
    "weather": (
        ["what is the weather", "what is the weather like", "how is the weather", "what kind of weather is it", "what weather is it", "what does the weather look like",
         "which weather is shown", "how does the sky look"],
        ["what sort of weather was it", "tell me about the weather"],
    ),
    "is weather": (
        ["is it {w}", "is the weather {w}", "is this a {w} day", "was it {w}", "does it look {w}", "is it {w} outside"],
        ["is the day {w}", "would you call the weather {w}"],
    ),
    "time of day": (
        ["what time of day is it", "which time of day is this", "what part of the day is it", "what time of the day was this taken", "is it noon or sunset",
         "what time of day does the photo show"],
        ["at what time of day was this taken", "which part of the day is shown"],
    ),
    "count": (
        ["how many {s} are there", "how many {s}", "how many {s} are in the photo", "how many {s} are in the picture", "how many {s} do you see", "how many {s} can you see",
         "what is the number of {s}", "count the {s}", "number of {s}"],
        ["how many {s} are visible", "how many {s} can be seen"],
    ),
    "people": (
        ["are there people", "is there a person", "are there any people in the photo", "is anyone there", "is someone in the picture", "do you see a person", "can you see people",
         "is there anybody", "does the photo show people", "is there a human"],
        ["are people visible", "is anyone in this image"],
    ),
    "who": (
        ["who is in the photo", "who is it", "who is there", "who do you see", "who is this", "is it a man or a woman", "who is shown"],
        ["who can be seen", "who appears in this picture"],
    ),
    "daylight": (
        ["is it day or night", "is this day or night", "was this taken by day or at night", "day or night", "was the photo taken during the day or at night", "is it daytime or night"],
        ["was it day or night", "does it look like day or night"],
    ),
    "grey?": (
        ["is this black and white", "is the photo black and white", "is this a black and white photo", "is it in black and white", "is the picture greyscale", "is this photo without colours"],
        ["does this photo lack colour", "is this image in black and white"],
    ),
    "coloured?": (
        ["is this in colour", "is the photo in color", "is this a colour photo", "does the picture have colours", "is it in color", "are there colours in the photo"],
        ["does this image have colour", "is this image in color"],
    ),
}  # fmt: skip

BEFORE = [
    "can you tell me",
    "tell me",
    "please tell me",
    "do you know",
    "i want to know",
    "could you say",
    "hey",
    "please",
    "so",
    "ok",
    "question:",
    "i wonder",
    "say",
]
AFTER = [
    "please",
    "here",
    "in this photo",
    "in this picture",
    "in the image",
    "in the photo",
    "in my photo",
    "exactly",
    "then",
    "now",
    "do you think",
    "in it",
    "on the photo",
]
SAME = [
    (r"\bphoto\b", ["picture", "image", "photograph", "pic", "snapshot"]),
    (r"\bpicture\b", ["photo", "image", "photograph", "pic"]),
    (r"\bimage\b", ["photo", "picture"]),
    (r"\bcolour\b", ["color"]),
    (r"\bcolor\b", ["colour"]),
    (r"\bwhat is\b", ["what's", "what are", "whats", "what would be"]),
    (r"^what ([a-z]+) is\b", [r"which \1 is", r"what sort of \1 is", r"which kind of \1 would be", r"what \1 could"]),
    (r"^which\b", ["what"]),
    (r"\bdo you see\b", ["can you see", "do we see", "can we see", "do you spot", "can you spot", "can you find"]),
    (r"\bis there\b", ["is there perhaps", "does it have", "does this show", "does the photo include", "was there", "do we have"]),
    (r"^is this\b", ["could this be", "is that", "is the photo", "does this show", "would this be"]),
    (r"^is it\b", ["could it be", "is this", "is that", "was it"]),
    (r"\bare there any\b", ["do you see any", "are there some", "does it show any", "are any"]),
    (r"\bhow many\b", ["what number of", "how many of the"]),
    (r"\bshown\b", ["depicted", "pictured", "displayed"]),
    (r"\bshow\b", ["depict", "feature", "display", "have", "include"]),
    (r"\bkind of\b", ["type of", "sort of"]),
    (r"\btaken\b", ["shot", "made"]),
]


def vary(question: str, rng: np.random.Generator) -> str:
    """Another way to type a question: synonyms, words before and after, a word left out. Wordings kept for testing never come out."""
    out = question
    for pattern, others in SAME:
        if rng.random() < 0.4:
            out = re.sub(pattern, others[int(rng.integers(len(others)))], out, count=1)
    if rng.random() < 0.25:
        out = f"{BEFORE[int(rng.integers(len(BEFORE)))]} {out}"
    if rng.random() < 0.25:
        out = f"{out} {AFTER[int(rng.integers(len(AFTER)))]}"
    words = out.split()
    if len(words) > 3 and rng.random() < 0.2:
        gone = int(rng.integers(len(words) - 1))
        if words[gone] in SMALL:
            out = " ".join(words[:gone] + words[gone + 1 :])
    return question if TESTED.fullmatch(out) else out


SMALL = {"the", "a", "an", "is", "this", "in", "of", "any", "it", "do", "does", "you", "to", "are", "there"}
TESTED = re.compile("|".join(re.sub(r"\\\{[a-z]\\\}", ".+", re.escape(t)) for _, kept in WORDINGS.values() for t in kept))
