"""Puts a trained model into pack layout: configs, tokenizer, golden examples, pack.json with checksums, model card."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from .card import card
from .evaluate import PROMPTS, QUERIES, evaluate
from .export import export
from .runner import Pack
from .tokens import MAX_LENGTH
from .towers import DIMS, Clip

GOLDEN_TEXTS = ["a photo of a dog", "red car", "Beach at sunset", "naïve café, 2 people (or 3)?"]


def golden_images(folder: Path) -> list[Path]:
    """Three small pictures drawn here, so that they are ours to ship: a gradient, shapes, and stripes of an odd size."""
    folder.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[0:120, 0:160]
    gradient = np.stack([x * 255 // 159, y * 255 // 119, 255 - x * 255 // 159], -1).astype(np.uint8)
    shapes = Image.new("RGB", (128, 128), (110, 170, 230))
    draw = ImageDraw.Draw(shapes)
    draw.rectangle((0, 80, 127, 127), fill=(60, 140, 60))
    draw.ellipse((84, 10, 116, 42), fill=(250, 220, 60))
    draw.polygon([(20, 80), (50, 40), (80, 80)], fill=(150, 60, 50))
    y, x = np.mgrid[0:301, 0:211]
    stripes = np.stack([128 + 120 * np.sin(x / 3), 128 + 120 * np.sin((x + y) / 11), 128 + 120 * np.cos(y / 5)], -1).astype(np.uint8)
    out = []
    for k, picture in enumerate((Image.fromarray(gradient), shapes, Image.fromarray(stripes)), 1):
        picture.save(folder / f"{k}.png", optimize=True)
        out.append(folder / f"{k}.png")
    return out


def rounded(vector: np.ndarray) -> list[float]:
    return [round(float(v), 5) for v in vector]


def write_json(path: Path, content: dict) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    text = re.sub(r"\[[-\d.,\s]+\]", lambda m: "[" + ", ".join(m[0][1:-1].replace(",", " ").split()) + "]", text)  # numbers on one line
    path.write_text(text + "\n")


def checksums(folder: Path) -> dict[str, dict]:
    """Of every file of a pack but pack.json, as pack.json lists them."""
    return {
        str(p.relative_to(folder)): {"bytes": p.stat().st_size, "sha256": hashlib.sha256(p.read_bytes()).hexdigest()}
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "pack.json"
    }


def write_pack(model: Clip, tokenizer: Path, folder: Path, data: Path, size: int, version: str, log: Path) -> dict:
    """Writes the whole pack for photos of size x size px and returns its figures."""
    folder.mkdir(parents=True, exist_ok=True)
    export(model, folder, size)
    shutil.copy(tokenizer, folder / "tokenizer.json")

    def put(name: str, content: dict) -> None:
        write_json(folder / name, content)

    put(
        "config.json",
        {
            "model_type": "clip",
            "architectures": ["AfterimageStarter"],
            "projection_dim": DIMS,
            "logit_scale_init_value": round(float(model.scale.detach()), 4),
            "vision_config": {"image_size": size, "patch_size": 16},
            "text_config": {"vocab_size": model.text.tokens.num_embeddings, "max_position_embeddings": MAX_LENGTH},
        },
    )
    # Bilinear (2), as in training: Pillow's bicubic sharpens what it enlarges, and cost tiny_imagenet 0.03.
    put(
        "preprocessor_config.json",
        {
            "image_processor_type": "CLIPImageProcessor",
            "do_resize": True,
            "size": {"shortest_edge": size},
            "resample": 2,
            "do_center_crop": True,
            "crop_size": {"height": size, "width": size},
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "do_normalize": True,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.25, 0.25, 0.25],
            "do_convert_rgb": True,
        },
    )
    put(
        "tokenizer_config.json",
        {
            "tokenizer_class": "BertTokenizer",
            "do_lower_case": True,
            "model_max_length": MAX_LENGTH,
            "padding_side": "right",
            "truncation_side": "right",
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
        },
    )
    runner = Pack(folder)
    images = [
        {"file": f"golden/{p.name}", "embedding": rounded(runner.images([Image.open(p)])[0])} for p in golden_images(folder / "golden")
    ]
    texts = [{"text": t, "ids": runner.encoder.ids(t), "embedding": rounded(runner.texts([t])[0])} for t in GOLDEN_TEXTS]
    figures = evaluate(folder, data)
    (folder / "README.md").write_text(card(figures, log, version, folder))
    files = checksums(folder)
    cells = size // 16
    put(
        "pack.json",
        {
            "schema": 1,
            "id": "starter",
            "name": "Afterimage Starter",
            "version": version,
            "task": "embed",
            "family": "clip",
            "dims": DIMS,
            "licence": {
                "id": "LicenseRef-Afterimage-Starter-Research",
                "name": "Weights for research and evaluation",
                "note": "The code is MIT. The weights were trained on data some of which is for non-commercial research only (ImageNet, DAQUAR, photos from the web); see README.md.",
            },
            "source": {"kind": "trained-here", "recipe": "models/train"},
            "description": "A small CLIP of our own that works with no network. It knows everyday things, animals, scenes, weather, sports and colours; a larger pack sees much more.",
            "image": {
                "file": "onnx/vision_model.onnx",
                "input": "pixel_values",
                "output": "image_embeds",
                "patchOutput": "patch_embeds",
                "grid": [cells, cells],
            },
            "text": {
                "file": "onnx/text_model.onnx",
                "inputIds": "input_ids",
                "attentionMask": "attention_mask",
                "output": "text_embeds",
                "tokenOutput": "token_embeds",
                "maxLength": MAX_LENGTH,
                "padding": "longest",
                "lowercase": False,
            },
            "scoring": {"kind": "softmax", "logitScale": figures["logit_scale"], "logitBias": 0},
            "promptTemplates": PROMPTS,
            "queryTemplates": QUERIES,
            "calibration": {"background": figures["background"], "matching": figures["matching"], "bandsZ": figures["bands_z"]},
            "golden": {"image": images, "text": texts},
            "files": files,
        },
    )
    return figures
