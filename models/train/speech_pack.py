"""Puts a trained captioner or answerer into pack layout: ONNX, tokenizer, golden examples, pack.json with checksums, model card."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .answer_run import AnswerPack
from .calibrate import sigmoid
from .caption_run import CaptionPack
from .junk import seen
from .speech import HEADS, PLACES, WIDTH, Answerer, Captioner
from .speech_card import answer_card, caption_card
from .speech_export import check_answerer, check_captioner, export_answerer, export_captioner
from .tokens import MAX_LENGTH

LICENCE = {
    "id": "LicenseRef-Afterimage-Starter-Research",
    "name": "Weights for research and evaluation",
    "note": "The code is MIT. The weights were trained on data some of which is for non-commercial research only (ImageNet, DAQUAR, photos from the web); see README.md.",
}
GENERATION = {"maxNewTokens": 24, "beams": 3, "lengthPenalty": 1.0, "earlyStopping": True, "noRepeatNgram": 3}
GOLDEN_QUESTIONS = ["What is this?", "what colour is the background", "is it indoors or outdoors?"]


def golden_pictures(folder: Path) -> list[Path]:
    """Three small pictures drawn here, so that they are ours to ship: a sunset, a meadow under the sky, a yellow flower."""
    folder.mkdir(parents=True, exist_ok=True)
    y = np.linspace(0, 1, 96)[:, None, None]
    sky = (1 - y) * np.array([70, 60, 110]) + y * np.array([250, 140, 40]) + np.zeros((96, 144, 1))
    sunset = Image.fromarray(sky.astype(np.uint8))
    draw = ImageDraw.Draw(sunset)
    draw.ellipse((60, 44, 88, 72), fill=(255, 230, 120))
    draw.rectangle((0, 70, 143, 95), fill=(40, 25, 35))
    meadow = Image.fromarray(
        (np.array([90, 150, 235]) + 60 * np.linspace(0, 1, 112)[:, None, None] + np.zeros((112, 112, 1))).clip(0, 255).astype(np.uint8)
    )
    draw = ImageDraw.Draw(meadow)
    draw.ellipse((-40, 62, 160, 200), fill=(70, 140, 50))
    draw.ellipse((20, 14, 60, 28), fill=(250, 250, 250))
    flower = Image.new("RGB", (120, 120), (40, 90, 35))
    draw = ImageDraw.Draw(flower)
    for k in range(16):
        x, z = 60 + 34 * np.cos(k * np.pi / 8), 60 + 34 * np.sin(k * np.pi / 8)
        draw.ellipse((x - 14, z - 14, x + 14, z + 14), fill=(250, 205, 20))
    draw.ellipse((36, 36, 84, 84), fill=(90, 55, 20))
    out = []
    for k, picture in enumerate((sunset, meadow, flower), 1):
        picture.filter(ImageFilter.GaussianBlur(0.8)).save(folder / f"{k}.png", optimize=True)
        out.append(folder / f"{k}.png")
    return out


def put(path: Path, content) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    text = re.sub(r"\[[-\d.,\s]+\]", lambda m: "[" + ", ".join(m[0][1:-1].replace(",", " ").split()) + "]", text)  # numbers on one line
    path.write_text(text + "\n")


def copy_tokenizer(starter: Path, folder: Path) -> None:
    """The starter's word pieces, with the decoder that joins them again, which the starter never needed."""
    content = json.loads((starter / "tokenizer.json").read_text())
    content["decoder"] = {"type": "WordPiece", "prefix": "##", "cleanup": True}
    (folder / "tokenizer.json").write_text(json.dumps(content, indent=2, ensure_ascii=False))
    (folder / "tokenizer_config.json").write_bytes((starter / "tokenizer_config.json").read_bytes())


def within(differences: dict[str, float], bound: float = 1e-3) -> dict[str, float]:
    """The differences of logits between ONNX and PyTorch, both with fp16 weights. Raises where one is too large."""
    if max(v for k, v in differences.items() if k.startswith("logits")) > bound or differences.get("same tokens", 1.0) < 1:
        raise ValueError(f"the exported files differ from the model by more than {bound}: {differences}")
    return differences


def checksums(folder: Path) -> dict:
    return {
        str(p.relative_to(folder)): {"bytes": p.stat().st_size, "sha256": hashlib.sha256(p.read_bytes()).hexdigest()}
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "pack.json"
    }


def tower(starter: Path) -> dict:
    file = "onnx/vision_model.onnx"
    return {"pack": "starter", "file": file, "sha256": hashlib.sha256((starter / file).read_bytes()).hexdigest()}


def caption_pack(model: Captioner, folder: Path, starter: Path, version: str, measure, run: dict) -> dict:
    """Writes the captioner's pack; measure: the pack's figures once it can run (caption_evaluate). Returns them."""
    folder.mkdir(parents=True, exist_ok=True)
    export_captioner(model, folder)
    copy_tokenizer(starter, folder)
    about = {
        "schema": 1,
        "id": "starter-captioner",
        "name": "Afterimage Captioner",
        "version": version,
        "tasks": ["caption"],
        "family": "starter-captioner",
        "licence": LICENCE,
        "source": {"kind": "trained-here", "recipe": "models/train"},
        "description": "A small captioner of our own that works with no network: one short sentence that names the main thing, a sport, a scene or the weather. It says it is not sure when it is not.",
        "imageTower": tower(starter),
        "encoder": {"file": "onnx/encoder.onnx"},
        "decoder": {
            "file": "onnx/decoder.onnx",
            "layers": len(model.decoder.steps),
            "heads": HEADS,
            "headDim": WIDTH // HEADS,
            "maxLength": PLACES,
        },
        "tokens": {"bos": 2, "eos": 3, "pad": 0, "unk": 1},
        "generation": GENERATION,
    }
    put(folder / "pack.json", about)
    pictures, pack = golden_pictures(folder / "golden"), CaptionPack(folder, starter)
    patches, _, values = seen([Image.open(pictures[0])], pack.starter)
    sentence = np.array([pack.tokens.tok.encode("a black and white photo of a dog").ids])
    differences = within(check_captioner(model, folder, patches, values, sentence))
    figures = {**measure(folder), "onnx against torch": differences}
    confidence = figures["calibration"]["confidence"]
    held = figures["calibration"]["held_out"]
    where = "models/train evaluate-caption"
    about["quality"] = [
        {"metric": "names the label", "dataset": "labelled val photos", "value": figures["named"]["photos"]["share"], "source": where},
        {
            "metric": "names the label",
            "dataset": "tiny_imagenet val tiles",
            "value": figures["named"]["tiny_imagenet tiles"]["share"],
            "source": where,
        },
        {"metric": "precision when sure", "dataset": "half of val", "value": held["precision"], "source": where},
        {"metric": "share of photos when sure", "dataset": "half of val", "value": held["coverage"], "source": where},
    ]
    about["confidence"] = confidence
    about["golden"] = []
    for k, path in enumerate(pictures):
        prompt = "a photo of" if k == 2 else ""
        written = pack.caption(Image.open(path), prompt)
        chance = float(sigmoid(np.array(confidence["slope"] * written.mean + confidence["intercept"])))
        about["golden"].append(
            {
                "file": f"golden/{path.name}",
                **({"prompt": prompt} if prompt else {}),
                "text": written.text,
                "ids": written.ids,
                "confidence": round(chance, 4),
            }
        )
    (folder / "README.md").write_text(caption_card(figures, version, folder, run))
    about["files"] = checksums(folder)
    put(folder / "pack.json", about)
    return figures


def answer_pack(model: Answerer, answers: list[str], folder: Path, starter: Path, version: str, measure, run: dict) -> dict:
    """Writes the answerer's pack; measure as for caption_pack. Returns its figures."""
    folder.mkdir(parents=True, exist_ok=True)
    export_answerer(model, folder)
    copy_tokenizer(starter, folder)
    put(folder / "answers.json", answers)
    about = {
        "schema": 1,
        "id": "starter-answerer",
        "name": "Afterimage Answerer",
        "version": version,
        "tasks": ["answer"],
        "family": "starter-answerer",
        "licence": LICENCE,
        "source": {"kind": "trained-here", "recipe": "models/train"},
        "description": f"A small answerer of our own that works with no network: it picks one of {len(answers)} answers, and says it is not sure when it is not.",
        "imageTower": tower(starter),
        "classifier": {"file": "onnx/classifier.onnx", "answers": "answers.json", "maxLength": MAX_LENGTH},
        "tokens": {"bos": 2, "eos": 3, "pad": 0, "unk": 1},
    }
    put(folder / "pack.json", about)
    pictures, pack = golden_pictures(folder / "golden"), AnswerPack(folder, starter)
    patches, _, values = seen([Image.open(pictures[0])], pack.starter)
    differences = within(check_answerer(model, folder, patches, values, *pack.tokens([GOLDEN_QUESTIONS[0]])))
    figures = {**measure(folder), "onnx against torch": differences}
    calibration = figures["calibration"]
    about["temperature"] = calibration["temperature"]
    where = "models/train evaluate-answer"
    about["quality"] = [
        {"metric": "accuracy", "dataset": "generated questions on val", "value": figures["generated"]["right"], "source": where},
        {
            "metric": "accuracy of always the commonest answer",
            "dataset": "generated questions on val",
            "value": figures["generated"]["always the commonest"],
            "source": where,
        },
        {"metric": "accuracy", "dataset": "DAQUAR val", "value": figures["daquar"]["right"], "source": where},
        {"metric": "precision when sure", "dataset": "half of val", "value": calibration["held_out"]["precision"], "source": where},
        {"metric": "share of questions when sure", "dataset": "half of val", "value": calibration["held_out"]["coverage"], "source": where},
    ]
    about["confidence"] = calibration["confidence"]
    put(folder / "pack.json", about)
    pack = AnswerPack(folder, starter)
    about["golden"] = []
    for path, question in zip(pictures, GOLDEN_QUESTIONS):
        (best, chance), *_ = pack.answer(Image.open(path), question)
        sure = sigmoid(np.array(calibration["confidence"]["slope"] * np.log(chance) + calibration["confidence"]["intercept"]))
        about["golden"].append(
            {
                "file": f"golden/{path.name}",
                "question": question,
                "text": best,
                "probability": round(chance, 4),
                "confidence": round(float(sure), 4),
            }
        )
    (folder / "README.md").write_text(answer_card(figures, version, folder, run, answers))
    about["files"] = checksums(folder)
    put(folder / "pack.json", about)
    return figures
