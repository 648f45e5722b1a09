"""Small checkpoints with random weights and the true architecture: what golden tests are computed on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import BlipConfig, BlipForConditionalGeneration, BlipForQuestionAnswering, ViltConfig, ViltForQuestionAnswering
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

from . import tiny_words

ANSWERS = ("yes", "no", "dog", "cat", "red", "green", "blue", "one", "two", "three", "grass", "snow")


def stir(model: torch.nn.Module, seed: int, gain: float) -> None:
    """Weights large enough that the photo and each word before decide the next token, with clear winners."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() < 2:
                if "norm" not in name.lower():
                    parameter.normal_(0, 0.1, generator=random)
                continue
            fan_in = parameter.shape[-1] if parameter.dim() == 2 else parameter[0].numel()
            spread = 0.2 if "embed" in name and parameter.dim() != 4 else gain / fan_in**0.5
            parameter.normal_(0, spread, generator=random)


def save(model: Any, out: Path, processor: Any, tokenizer: Any, config: dict[str, Any]) -> None:
    from .pack_files import put_json

    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    processor.save_pretrained(out)
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    put_json(out / "tokenizer_config.json", config)


def blip(kind: type, seed: int, out: Path) -> None:
    words = tiny_words.bert()
    size = words.get_vocab_size()
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = BlipConfig(
        text_config={
            **shape,
            "vocab_size": size + 2,  # like the published ones: [DEC] and [ENC] are not in tokenizer.json
            "max_position_embeddings": 64,
            "bos_token_id": size,
            "sep_token_id": words.token_to_id("[SEP]"),
            "pad_token_id": words.token_to_id("[PAD]"),
        },
        vision_config={**shape, "image_size": 64, "patch_size": 16},
    )
    model = kind(config).eval()
    stir(model, seed, 3)
    model.tie_weights()
    head = model.text_decoder.cls.predictions
    with torch.no_grad():
        head.bias[config.text_config.sep_token_id] += 0.8  # so that some texts end by themselves
        head.decoder.bias.copy_(head.bias)
    processor = BlipImageProcessorPil(size={"height": 64, "width": 64})
    save(model, out, processor, words, {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64})


def vilt(out: Path) -> None:
    words = tiny_words.bert()
    config = ViltConfig(
        vocab_size=words.get_vocab_size(), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        image_size=64, patch_size=32, max_position_embeddings=40,
        id2label=dict(enumerate(ANSWERS)), label2id={answer: i for i, answer in enumerate(ANSWERS)},
    )
    model = ViltForQuestionAnswering(config).eval()
    stir(model, 3, 1.6)
    processor = ViltImageProcessorPil(size={"shortest_edge": 64}, size_divisor=32)
    save(model, out, processor, words, {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 40})


MAKERS = {
    "blip-caption": lambda out: blip(BlipForConditionalGeneration, 0, out),
    "blip-vqa": lambda out: blip(BlipForQuestionAnswering, 5, out),
    "vilt": vilt,
}
