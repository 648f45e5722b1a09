"""BLIP checkpoints to packs: blip-caption (BlipForConditionalGeneration), blip-vqa (BlipForQuestionAnswering)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BlipForConditionalGeneration, BlipForQuestionAnswering
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from . import blip_graphs
from .checking import Checks, rounded
from .onnx_files import round_to_half, write
from .pack_files import Recipe, copy_texts, put_json, write_pack
from .pictures import pictures
from .runner import DecoderRunner, run

CAPTION = Recipe(
    "blip-caption",
    ("caption",),
    "bsd-3-clause",
    "BLIP: writes captions, and goes on from words that it is given. English.",
    ({"metric": "CIDEr", "dataset": "COCO Karpathy test", "value": 133.5, "source": "LAVIS model zoo, github.com/salesforce/LAVIS"},),
)
ANSWER = Recipe(
    "blip-vqa",
    ("answer",),
    "bsd-3-clause",
    "BLIP: answers a question about a photo in a few words. English.",
    ({"metric": "VQA accuracy", "dataset": "VQAv2 test-dev", "value": 78.2, "source": "Li et al. 2022, arXiv:2201.12086"},),
)
#: None stands for no prompt.
PROMPTS = (None, "a photo of", None)
QUESTIONS = ("What is in the photo?", "How many dogs are there?", "What colour is it?")
#: As BLIP's authors evaluate: beam search with 3 beams, 20 tokens of caption and 10 of answer.
BEAMS, CAPTION_TOKENS, ANSWER_TOKENS = 3, 20, 10


def cross_names(layers: int) -> list[str]:
    return [f"cross.{i}.{kind}" for i in range(layers) for kind in ("key", "value")]


def export_decoder(text_decoder: Any, path: Path, half: bool) -> dict[str, Any]:
    config = text_decoder.config
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    width = config.hidden_size // heads
    past = [f"past.{i}.{kind}" for i in range(layers) for kind in ("key", "value")]
    cross, present = cross_names(layers), [name.replace("past", "present") for name in past]
    inputs = (
        torch.ones(2, 3, dtype=torch.long),
        *(torch.zeros(2, heads, 4, width) for _ in past),
        *(torch.zeros(2, heads, 5, width) for _ in cross),
    )
    axes = {
        "input_ids": {0: "batch", 1: "tokens"},
        "logits": {0: "batch", 1: "tokens"},
        **{name: {0: "batch", 2: "before"} for name in past},
        **{name: {0: "photos", 2: "states"} for name in cross},
        **{name: {0: "batch", 2: "so_far"} for name in present},
    }
    write(blip_graphs.Decoder(text_decoder), inputs, path, ["input_ids", *past, *cross], ["logits", *present], axes, half)
    return {"file": path.name, "layers": layers, "heads": heads, "headDim": width}


def caption(checkpoint: Path, out: Path, half: bool, published: bool, name: str | None, detailed: bool) -> Checks:
    model = BlipForConditionalGeneration.from_pretrained(checkpoint).float().eval()
    config, processor = model.config.text_config, BlipImageProcessorPil.from_pretrained(checkpoint)
    if half:
        round_to_half(model)
    size = model.config.vision_config.image_size
    cross = cross_names(config.num_hidden_layers)
    write(
        blip_graphs.CaptionEncoder(model),
        (torch.zeros(1, 3, size, size),),
        out / "encoder.onnx",
        ["pixel_values"],
        cross,
        {"pixel_values": {0: "photos"}, **{name: {0: "photos"} for name in cross}},
        half,
    )
    decoder = export_decoder(model.text_decoder, out / "decoder.onnx", half)
    copy_texts(checkpoint, out, processor, "BlipImageProcessor")
    tokens = Tokenizer.from_file(str(out / "tokenizer.json"))

    def prompt_ids(prompt: str | None) -> list[int]:
        # As BlipForConditionalGeneration.generate: [CLS] becomes bos, [SEP] goes.
        return [config.bos_token_id, *(tokens.encode(prompt).ids[1:-1] if prompt else [])]

    def pixels_of(image: Any) -> np.ndarray:
        return processor(image, return_tensors="np")["pixel_values"].astype(np.float32)

    def reference(pixels: np.ndarray, start: list[int], beams: int) -> list[int]:
        # generate() drops the last id of what it is given, which is [SEP] there.
        found = model.generate(
            torch.from_numpy(pixels),
            input_ids=torch.tensor([[*start, config.sep_token_id]]),
            num_beams=beams,
            max_new_tokens=CAPTION_TOKENS,
            do_sample=False,
        )
        return until_end(found[0, len(start) :].tolist(), config.sep_token_id)

    def logits_of(pixels: np.ndarray, sequence: list[int]) -> np.ndarray:
        states = model.vision_model(pixel_values=torch.from_numpy(pixels)).last_hidden_state
        return decoder_logits(model.text_decoder, states, sequence)

    runner = DecoderRunner(out / "decoder.onnx", decoder["layers"], decoder["heads"], decoder["headDim"])
    checks, cases = Checks(), []
    for k, (image, prompt) in enumerate(zip(pictures(), PROMPTS)):
        pixels, start = pixels_of(image), prompt_ids(prompt)
        keys = run(out / "encoder.onnx", {"pixel_values": pixels})
        cases.append(
            case(k, image, out, checks, runner, keys, start, config.sep_token_id, CAPTION_TOKENS, tokens,
                 lambda beams: reference(pixels, start, beams), lambda ids: logits_of(pixels, ids), {"prompt": prompt} if prompt else {})
        )
    finish(out, checkpoint, CAPTION, name or "BLIP captions", half, published, detailed, cases, {
        "encoder": {"file": "encoder.onnx"}, "decoder": decoder,
        "tokens": {"bos": config.bos_token_id, "eos": config.sep_token_id, "pad": config.pad_token_id},
        "generation": {"maxNewTokens": CAPTION_TOKENS, "beams": BEAMS}})
    return checks


def answer(checkpoint: Path, out: Path, half: bool, published: bool, name: str | None, detailed: bool) -> Checks:
    model = BlipForQuestionAnswering.from_pretrained(checkpoint).float().eval()
    config, processor = model.config.text_config, BlipImageProcessorPil.from_pretrained(checkpoint)
    if half:
        round_to_half(model)
    size = model.config.vision_config.image_size
    cross = cross_names(config.num_hidden_layers)
    write(blip_graphs.Vision(model), (torch.zeros(1, 3, size, size),), out / "vision.onnx", ["pixel_values"], ["image_embeds"],
          {"pixel_values": {0: "photos"}, "image_embeds": {0: "photos"}}, half)
    states = torch.zeros(1, 5, model.config.vision_config.hidden_size)
    ids = torch.ones(1, 4, dtype=torch.long)
    write(blip_graphs.Question(model), (ids, ids, states), out / "question.onnx", ["input_ids", "attention_mask", "image_embeds"], cross,
          {"input_ids": {0: "photos", 1: "words"}, "attention_mask": {0: "photos", 1: "words"},
           "image_embeds": {0: "photos", 1: "states"}, **{name: {0: "photos", 2: "words"} for name in cross}}, half)
    decoder = export_decoder(model.text_decoder, out / "decoder.onnx", half)
    copy_texts(checkpoint, out, processor, "BlipImageProcessor")
    tokens = Tokenizer.from_file(str(out / "tokenizer.json"))

    def reference(pixels: np.ndarray, ids: list[int], beams: int) -> list[int]:
        found = model.generate(torch.tensor([ids]), torch.from_numpy(pixels), num_beams=beams, max_new_tokens=ANSWER_TOKENS, do_sample=False)
        return until_end(found[0, 1:].tolist(), config.sep_token_id)

    def logits_of(pixels: np.ndarray, ids: list[int], sequence: list[int]) -> np.ndarray:
        with torch.no_grad():
            image = model.vision_model(pixel_values=torch.from_numpy(pixels)).last_hidden_state
            read = model.text_encoder(input_ids=torch.tensor([ids]), encoder_hidden_states=image).last_hidden_state
        return decoder_logits(model.text_decoder, read, sequence)

    runner = DecoderRunner(out / "decoder.onnx", decoder["layers"], decoder["heads"], decoder["headDim"])
    checks, cases = Checks(), []
    for k, (image, question) in enumerate(zip(pictures(), QUESTIONS)):
        pixels = processor(image, return_tensors="np")["pixel_values"].astype(np.float32)
        ids = tokens.encode(question).ids
        seen = run(out / "vision.onnx", {"pixel_values": pixels})["image_embeds"]
        keys = run(out / "question.onnx", {"input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), np.int64), "image_embeds": seen})
        cases.append(
            case(k, image, out, checks, runner, keys, [config.bos_token_id], config.sep_token_id, ANSWER_TOKENS, tokens,
                 lambda beams: reference(pixels, ids, beams), lambda sequence: logits_of(pixels, ids, sequence),
                 {"question": question, "questionIds": ids})
        )
    finish(out, checkpoint, ANSWER, name or "BLIP answers", half, published, detailed, cases, {
        "vision": {"file": "vision.onnx"}, "question": {"file": "question.onnx"}, "decoder": decoder,
        "tokens": {"bos": config.bos_token_id, "eos": config.sep_token_id, "pad": config.pad_token_id},
        "generation": {"maxNewTokens": ANSWER_TOKENS, "beams": BEAMS}})
    return checks


def until_end(ids: list[int], eos: int) -> list[int]:
    return ids[: ids.index(eos) + 1] if eos in ids else ids


def decoder_logits(text_decoder: Any, states: torch.Tensor, sequence: list[int]) -> np.ndarray:
    with torch.no_grad():
        return text_decoder(input_ids=torch.tensor([sequence]), encoder_hidden_states=states, use_cache=False).logits[0].numpy()


def case(k: int, image: Any, out: Path, checks: Checks, runner: DecoderRunner, keys: dict[str, np.ndarray], start: list[int], eos: int,
         longest: int, tokens: Tokenizer, reference: Any, logits_of: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """One picture through PyTorch and through the exported graphs: checked, and what came of it in the reference."""
    greedy, beam = reference(1), reference(BEAMS)
    wanted = logits_of([*start, *greedy[:-1]])
    got, rows = runner.greedy(start, keys, eos, longest)
    about = f"picture {k + 1}"
    checks.equal(f"{about}: greedy tokens", got, greedy)
    checks.close(f"{about}: logits, token by token", rows, wanted[len(start) - 1 :])
    checks.close(f"{about}: logits in one go", runner.step([*start, *greedy[:-1]], runner.empty, keys)[0], wanted)
    file = f"golden/{k + 1}.png"
    (out / "golden").mkdir(exist_ok=True)
    image.save(out / file, optimize=True)
    prompt = asked.get("prompt")
    full = lambda ids: tokens.decode([*start[1:], *ids], skip_special_tokens=True)
    return {"file": file, **asked, "inputIds": start, "greedy": {"ids": greedy, "text": full(greedy)},
            "beam": {"beams": BEAMS, "ids": beam, "text": full(beam)}, "logits": rounded(wanted[len(start) - 1 :]),
            **({"promptIds": start} if prompt else {})}


def finish(out: Path, checkpoint: Path, recipe: Recipe, name: str, half: bool, published: bool, detailed: bool,
           cases: list[dict[str, Any]], more: dict[str, Any]) -> None:
    if detailed:
        put_json(out / "golden.json", {"cases": cases})
    short = [{key: found[key] for key in ("file", "prompt", "question") if key in found} | {"text": found["beam"]["text"], "ids": found["beam"]["ids"]} for found in cases]
    write_pack(out, checkpoint, recipe, name, half, published, {**more, "golden": short})
