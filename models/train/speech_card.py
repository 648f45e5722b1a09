"""The model cards of the captioner and the answerer, with the figures they were just measured at."""

from __future__ import annotations

from pathlib import Path

from .card import SOURCES

WARNING = """Because several of these are for research only or of unknown rights, treat the weights likewise: research and evaluation.
WordNet 3.0 is used under its own free licence. No pretrained weights were used."""


def megabytes(folder: Path) -> float:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def table(heads: list[str], rows: list[list]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _ in heads) + " |"]
    return "\n".join(lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows])


def junk_line(shares: dict[str, float]) -> str:
    return ", ".join(f"{kind} {percent(share)}" for kind, share in shares.items())


def caption_card(figures: dict, version: str, folder: Path, run: dict) -> str:
    named, held = figures["named"], figures["calibration"]["held_out"]
    bound = figures["calibration"]["confidence"]["notSureBelow"]
    people = figures["coco_captions"]
    sources = table(["source", "photos", "named"], [[s, f["photos"], f"{f['named']:.3f}"] for s, f in named["by source"].items()])
    examples = table(
        ["caption", "mean log-probability", "what it is"],
        [[e["caption"], e["mean"], e["label"] or (e["human"] or ["(not labelled)"])[0]] for e in figures["examples"]],
    )
    return f"""# Afterimage Captioner {version}

Writes one short sentence about a photo, with no network. It shares the [starter](../starter)'s frozen image tower: 36 cells of
256 numbers, to which it adds the photo's colours (24 x 24 px) and the likeliest of 460 names (labels, and nouns of human captions). A three-layer Transformer decoder, 256
wide, writes lower-case word pieces with the starter's vocabulary. The pack is {megabytes(folder):.1f} MB (fp16 weights, computed in fp32).

## Figures

On val photos, never trained on, through onnxruntime and Pillow, by `python -m models.train evaluate-caption`. A caption
"names" the label when it has the label or a synonym of WordNet's in it, in whole words; a hypernym ("dog" for a poodle) does not count.

{
        table(
            ["val photos with a label", "number", "named", "target"],
            [
                ["photos", named["photos"]["items"], f"**{named['photos']['share']:.3f}**", "0.45"],
                ["tiny_imagenet tiles, 64 px", named["tiny_imagenet tiles"]["items"], f"{named['tiny_imagenet tiles']['share']:.3f}", "-"],
                ["photos and tiles", named["photos and tiles"]["items"], f"{named['photos and tiles']['share']:.3f}", "-"],
            ],
        )
    }

{sources}

On {people["photos"]} coco_captions photos the caption and the human one mention a thing in common in {
        percent(people["share a thing"])
    }; of the
things it mentions {percent(people["things right"])} are in the human caption (one caption a photo, which leaves much out).

Confidence is fitted on half of val (labelled photos and every third tile: without the thinning tiles would be most of it), and measured on the
other half: expected calibration error {held["ece"]:.3f}; with "not sure" below {bound}, it speaks on {
        percent(held["coverage"])
    } of photos and is right on
{percent(held["precision"])} of those (on all, unasked: {percent(held["right"])}). Pictures that are no photos end in "not sure": {
        junk_line(figures["not sure of junk"])
    }
(checks, blobs and table are of kinds never trained on).

The ONNX files differ from PyTorch by at most {
        max(
            v for k, v in figures["onnx against torch"].items() if k.startswith("logits")
        ):.0e} in the logits, at once and token by token with the cache.

Three val photos a source, drawn by a fixed seed, right or wrong:

{examples}

## What it can't do

It names one main thing, a sport, a scene, a room or the weather, and sometimes a colour that it takes from the pixels (a brown dog on grass
may become a green thing's neighbour, not its owner). It seldom knows what is happening, who is there, how many there are beyond what
is obvious, or how things lie to each other; it can't read text and knows nobody by name. Its wordings are few, because most of its sentences
were made from labels; only 1,600 are people's. It knows the labels it was taught, and calls other things by the nearest one unless it says that it
is not sure. "a black and white photo" is measured and nearly always right. Expect it to be worse on what small Western web photos show rarely.
Do not use it to judge people, or where a wrong caption does harm.

## Data

{SOURCES}

{WARNING}
The glosses "from Vietnamese" (viic_sports) were not taught as sentences; only which people and things they mention was taken from them.
grocery81's fine labels were not used.

## How it was trained

{run.get("photos", 0):,} views in {run.get("steps", 0):,} steps of 128, bf16, on one thread of a shared CPU in {
        run.get("minutes", 0):.0f} minutes; the image tower ran once over up to five views of each
photo. First the label head alone, then sentences, label and "say nothing of junk" together; AdamW, cosine decay by the clock, label smoothing 0.05,
the weights are a running average. Sentences come from labels and measured colours (`sentences.py`), object counts, and people.
"""


def answer_card(figures: dict, version: str, folder: Path, run: dict, answers: list[str]) -> str:
    held, calibration = figures["calibration"]["held_out"], figures["calibration"]
    blind = figures.get("questions without the photo")
    names = [
        "generated",
        "generated, photos",
        "generated, tiles",
        "generated, photos, known wordings",
        "generated, photos, new wordings",
        "daquar",
    ]
    rows = [
        [
            n,
            figures[n]["questions"],
            f"**{figures[n]['right']:.3f}**",
            f"{figures[n]['always the commonest']:.3f} ({figures[n]['commonest']})",
            f"{blind[n]:.3f}" if blind else "-",
        ]
        for n in names
    ]
    kinds = [
        [k, f["questions"], f"{f['right']:.3f}", f"{f['always the commonest']:.3f} ({f['commonest']})"]
        for k, f in figures["by kind, photos"].items()
        if f["questions"]
    ]
    examples = [[e["question"], e["answer"], ", ".join(e["true"]), e["confidence"]] for e in figures["examples"][:24]]
    by_group = "; ".join(
        f"{n}: {percent(f['coverage'])}, right {percent(f['precision'])}"
        for n, f in calibration["by group"].items()
        if n in ("generated, photos", "generated, tiles", "daquar")
    )
    return f"""# Afterimage Answerer {version}

Answers a question about a photo with one of {len(answers)} answers, with no network. It shares the [starter](../starter)'s frozen image tower, adds the
photo's colours (24 x 24 px) and the likeliest of 460 names, reads the question with two layers that began as the starter's text tower, looks at
the photo with three, and votes. At most 24 word pieces of a question count. The pack is {megabytes(folder):.1f} MB (fp16 weights, computed in fp32).

## Figures

On val photos, never trained on, through onnxruntime and Pillow, by `python -m models.train evaluate-answer`: questions made from labels, objects,
human captions and measured colours by a fixed seed (three a photo, the second of them in a wording that training never uses; one a 64 px tile), and DAQUAR's own.
An answer is right when it is the true one, or, where several things are true (a list in DAQUAR, what is in a human caption), one of them.
DAQUAR's underscores became spaces; its lists are taught as equal shares; answers that occur less than four times can't be given.

{table(["questions", "number", "right", "always the commonest answer", "the same model, blind"], rows)}

"Blind" is the same network trained on {figures.get("blind trained on", 0):,} questions without photos. On DAQUAR most of what it knows comes from the wording of the question; the photo adds little there. Targets: 20 points over the commonest answer on generated questions
(+{100 * (figures["generated"]["right"] - figures["generated"]["always the commonest"]):.1f}), 8 on DAQUAR (+{100 * (figures["daquar"]["right"] - figures["daquar"]["always the commonest"]):.1f}).

By kind, on photos, beside each kind's own commonest answer:

{table(["kind", "number", "right", "commonest"], kinds)}

Probabilities are softmax(logits / {calibration["temperature"]}). Confidence is fitted on half of these questions and measured on the other: expected calibration
error {held["ece"]:.3f}; with "not sure" below {calibration["confidence"]["notSureBelow"]}, it answers {percent(held["coverage"])} of questions, {percent(held["precision"])} of them rightly
(all, unasked: {percent(held["right"])}). By set, answered and right: {by_group}.
Pictures that are no photos end in "not sure", over four plain questions: {junk_line(figures["not sure of junk"])} (checks, blobs and table
are of kinds never trained on).

Drawn by a fixed seed, right or wrong:

{table(["question", "answer", "true", "confidence"], examples)}

## What it can't do

It picks from a list, so it can't name what is not in it, explain, or make a sentence; each question stands alone. It does not know names of people,
text, time, places or reasons, and was taught to be unsure of questions that no photo answers, but not of all that people may think of. Counts are
guesses beyond two or three, and it is weak on where things are ("left of"), where DAQUAR's questions mostly go. Yes or no leans on what it believes the main thing to
be: small things are missed, and one curve makes confidence of all kinds, so a yes near even odds is shown surer than it is. Colours are those of the middle of the photo, by rules on pixels, and a thing's shade may be called grey or brown. Questions are English, and
wordings far from those of `wordings.py` do worse. Do not use it to judge people, or where a wrong answer does harm.

## Data

{SOURCES}

{WARNING}
grocery81's fine labels were not used.

## How it was trained

{run.get("questions", 0):,} questions in {run.get("steps", 0):,} steps of 64 photos, bf16, on one thread of a shared CPU in {run.get("minutes", 0):.0f} minutes; the image tower ran once over up to five views of each photo.
First the label head alone, then answers and labels together; questions that no one could answer, and any question about a picture that is no photo, have all answers as
equally likely. AdamW, cosine decay by the clock, the weights are a running average.
"""
