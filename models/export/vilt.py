"""ViLT checkpoints to packs: vilt (ViltForQuestionAnswering), an answer out of a fixed list in one forward pass."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import ViltForQuestionAnswering
from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

from .checking import Checks, rounded
from .onnx_files import round_to_half, write
from .pack_files import Recipe, copy_texts, put_json, write_pack
from .pictures import pictures
from .runner import session
from .vilt_graph import Classifier

ANSWER = Recipe(
    "vilt",
    ("answer",),
    "apache-2.0",
    "ViLT: picks the answer to a question about a photo out of a list of common answers. English.",
    ({"metric": "VQA accuracy", "dataset": "VQAv2 test-dev", "value": 71.3, "source": "Kim et al. 2021, arXiv:2102.03334"},),
)
QUESTIONS = ("What is in the photo?", "How many dogs are there?", "What colour is it?")
INPUTS = ["input_ids", "attention_mask", "token_type_ids", "pixel_values", "pixel_mask"]


def answer(checkpoint: Path, out: Path, half: bool, published: bool, name: str | None, detailed: bool) -> Checks:
    model = ViltForQuestionAnswering.from_pretrained(checkpoint, attn_implementation="eager").float().eval()
    processor = ViltImageProcessorPil.from_pretrained(checkpoint)
    if half:
        round_to_half(model)
    side = processor.size["shortest_edge"]
    ids = torch.ones(1, 5, dtype=torch.long)
    example = (ids, ids, torch.zeros_like(ids), torch.zeros(1, 3, side, side + 32), torch.ones(1, side, side + 32, dtype=torch.long))
    words, photo = {0: "photos", 1: "words"}, {0: "photos", 2: "height", 3: "width"}
    axes = {"input_ids": words, "attention_mask": words, "token_type_ids": words, "pixel_values": photo,
            "pixel_mask": {0: "photos", 1: "height", 2: "width"}, "logits": {0: "photos"}}
    write(Classifier(copy.deepcopy(model)), example, out / "model.onnx", INPUTS, ["logits"], axes, half)
    copy_texts(checkpoint, out, processor, "ViltImageProcessor")
    tokens = Tokenizer.from_file(str(out / "tokenizer.json"))
    graph, checks, cases = session(out / "model.onnx"), Checks(), []
    (out / "golden").mkdir(exist_ok=True)
    for k, (image, question) in enumerate(zip(pictures(), QUESTIONS)):
        ids = np.array([tokens.encode(question).ids])
        seen = processor(image, return_tensors="np")
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids),
                 "pixel_values": seen["pixel_values"].astype(np.float32), "pixel_mask": seen["pixel_mask"].astype(np.int64)}
        with torch.no_grad():
            wanted = model(**{key: torch.from_numpy(value) for key, value in feeds.items()}).logits.numpy()
        checks.close(f"picture {k + 1}: logits", graph.run(["logits"], feeds)[0], wanted)
        odds = np.exp(wanted[0] - wanted[0].max())
        odds /= odds.sum()
        best = [int(i) for i in np.argsort(-odds)[:5]]
        file = f"golden/{k + 1}.png"
        image.save(out / file, optimize=True)
        cases.append({
            "file": file, "question": question, "questionIds": ids[0].tolist(),
            "size": list(feeds["pixel_values"].shape[2:]), "logits": rounded(wanted)[0],
            "answers": [{"answer": model.config.id2label[i], "probability": round(float(odds[i]), 5)} for i in best]})
    if detailed:
        put_json(out / "golden.json", {"cases": cases})
    short = [{"file": c["file"], "question": c["question"], "text": c["answers"][0]["answer"], "confidence": c["answers"][0]["probability"]} for c in cases]
    write_pack(out, checkpoint, ANSWER, name or "ViLT answers", half, published, {
        "classifier": {"file": "model.onnx", "answers": "config.json", "maxLength": model.config.max_position_embeddings},
        "golden": short})
    return checks
