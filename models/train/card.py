"""The model card of the pack, with the figures it was just measured at."""

from __future__ import annotations

import json
from pathlib import Path

SOURCES = """| source | what | licence as its publisher states it |
| --- | --- | --- |
| tiny_imagenet | 200 classes of ImageNet at 64 px, 50,278 tiles for training | none stated; ImageNet terms: non-commercial research |
| coco_captions | 1,614 COCO photos, one human English caption each | repository MIT; COCO annotations CC BY 4.0, photos under mixed Flickr terms |
| coco128, viic_sports | COCO photos; captions made from object counts, and glossed from human Vietnamese ones | none stated; COCO terms |
| voc_vehicles | PASCAL VOC style photos | none stated; VOC and Flickr terms |
| daquar_rooms | DAQUAR, NYU-Depth indoor photos | code Apache-2.0; data for research |
| scene15_grey | 15-Scene, greyscale | repository MIT (code); data for research |
| sports15 | sports photos collected from the web | README says MIT; rights in the photos unknown |
| caltech101 | Caltech-101 | none stated in the copy; CC BY 4.0 by Caltech (not checked) |
| intel_scenes, flowers5, weather5, pacs_photo | scenes, flowers, weather, 7 kinds of thing | none stated |
| clothing10 | clothing | CC0 1.0 |
| grocery81 | groceries in shops (coarse labels only) | MIT |"""


def card(figures: dict, log: Path, version: str, folder: Path) -> str:
    rows = []
    for source, f in sorted(figures["top1"].items(), key=lambda item: item[1]["target"] is None):
        target = f"{f['target']:.2f}" if f["target"] else "-"
        rows.append(f"| {source} | {f['labels']} | {f['photos']} | {f['top1']:.3f} | {f['by_prompt']['{}']:.3f} | {target} |")
    coco = figures["coco_captions"]
    megabytes = sum(p.stat().st_size for p in (folder / "onnx").iterdir()) / 1e6
    speed = figures["milliseconds_per_image_one_thread"]
    return f"""# Afterimage Starter {version}

A small CLIP trained from nothing by [models/train](../train), so that Afterimage finds photos with no network.
Image tower: a plain-convolution ResNet, {figures["size_px"]} px in, {figures["size_px"] // 16} x {figures["size_px"] // 16} cells of 256 numbers out; their mean is the embedding.
Text tower: a two-layer Transformer, 256 wide, over 4,096 word pieces (lower case), at most 24 of them.
The ONNX files are {megabytes:.1f} MB together (fp16 weights, computed in fp32). One image takes {speed["batch 8"]:.1f} ms on one CPU core in batches of 8.

## Figures

Validation split of the data below, photos never trained on; top-1 zero-shot among each source's own labels, with the
pack's prompt templates and with the bare label. Measured through onnxruntime and Pillow by `python -m models.train evaluate`.

| source | labels | photos | top-1 | bare label | target |
| --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}

Text to image on the {coco["photos"]} coco_captions photos: R@1 {coco["query templates"]["R@1"]:.3f}, R@5 {coco["query templates"]["R@5"]:.3f}, R@10 {coco["query templates"]["R@10"]:.3f}
(target {coco["target R@10"]:.2f}, chance {10 / coco["photos"]:.2f}); with the caption alone R@10 {coco["caption alone"]["R@10"]:.3f}.
Many of these counts are small: at 26 photos one photo is 0.04.

## What it knows, and what it does not

It was taught 385 label names with their synonyms and hypernyms from WordNet ("puppy", "animal", "fruit"), eleven colour
words measured from the pixels ("red car"), some 1,600 human captions and 2,900 made ones. So it sorts everyday scenes,
animals, vehicles, food, clothing, weather and sports. It does not know people by name, text in photos, brands, places,
counts beyond "one or several", or relations ("left of"), and a word outside its training text means little to it, though
it is cut into pieces rather than refused. It has seen little more than small web photos of Western, mostly English
sources: expect it to be worse on what they show rarely. Do not use it to judge people.

## Data

{SOURCES}

Because several of these are for research only or of unknown rights, treat the weights likewise: research and evaluation.
WordNet 3.0 is used under its own free licence. No pretrained weights were used.

## How it was trained

{story(log)}
"""


def story(log: Path) -> str:
    """What the run's own log says about how long and on what it trained."""
    steps = [e for e in map(json.loads, log.read_text().splitlines()) if "seen" in e]
    if not steps:
        return "No log of the training was kept."
    sides = list(dict.fromkeys(e["px"] for e in steps))
    speed = sorted(e["per_second"] for e in steps)[len(steps) // 2]
    return (
        f"{steps[-1]['seen'] / 1e6:.2f} million image-steps in {steps[-1]['step']:,} steps of bf16 autocast on a shared two-core CPU (median {speed} images/s), "
        f"at {', then '.join(map(str, sides))} px. AdamW, cosine decay by the clock; CLIP's contrastive loss in which every sentence true of a photo counts as a match, "
        "plus classification against the label names of the photo's own source; the weights are a running average (EMA)."
    )
