"""Tiny ViT-GPT2, Florence-2 and SmolVLM in the layout that Transformers.js reads, with what PyTorch writes (golden.json)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import processors
from transformers import (
    BartConfig,
    Florence2Config,
    Florence2ForConditionalGeneration,
    GPT2Config,
    LlamaConfig,
    PreTrainedTokenizerFast,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    ViTConfig,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.idefics3.processing_idefics3 import Idefics3Processor
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from . import hub_graphs, tiny_words
from .onnx_files import write
from .pack_files import PREPROCESSING, plain, put_json
from .pictures import pictures
from .tiny import stir

BATCH = {0: "batch_size"}
WORDS = {0: "batch_size", 1: "sequence_length"}
CHAT = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
    "{% if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% elif part['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)


def cache(layers: int, heads: int, width: int, kind: str = "") -> tuple[list[str], list[str], tuple[torch.Tensor, ...], dict[str, Any]]:
    """-> past names, present names, example tensors, dynamic axes."""
    past = [f"past_key_values.{i}.{kind}{part}" for i in range(layers) for part in ("key", "value")]
    present = [name.replace("past_key_values", "present") for name in past]
    axes = {name: {0: "batch_size", 2: "past_sequence_length"} for name in past}
    axes |= {name: {0: "batch_size", 2: "total_sequence_length"} for name in present}
    return past, present, tuple(torch.zeros(2, heads, 4, width) for _ in past), axes


def save(out: Path, model: Any, words: Any, config: dict[str, Any], processor: Any, name: str, more: dict[str, Any]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    model.config.save_pretrained(out)
    model.generation_config.save_pretrained(out)
    words.save(str(out / "tokenizer.json"), pretty=False)
    put_json(out / "tokenizer_config.json", config)
    fields = processor.to_dict()
    kept = {key: plain(fields[key]) for key in PREPROCESSING if fields.get(key) is not None}
    put_json(out / "preprocessor_config.json", {"image_processor_type": name, **kept, **more})


def golden(out: Path, k: int, image: Any, asked: dict[str, Any], ids: list[int], text: str, logits: torch.Tensor) -> dict[str, Any]:
    """@param logits (tokens, V): what each of `ids` was chosen by."""
    (out / "golden").mkdir(exist_ok=True)
    image.save(out / f"golden/{k + 1}.png", optimize=True)
    own = logits.log_softmax(-1)[torch.arange(len(ids)), torch.tensor(ids)]
    return {"file": f"golden/{k + 1}.png", **asked, "ids": ids, "text": text.strip(" \t\n\v\f\r"), "logProbability": round(float(own.mean()), 5)}


def until(ids: list[int], end: int) -> list[int]:
    return ids[: ids.index(end) + 1] if end in ids else ids


@torch.no_grad()
def vit_gpt2(out: Path) -> None:
    words = tiny_words.byte_pairs(["<|endoftext|>"], 330)
    decoder = GPT2Config(
        vocab_size=words.get_vocab_size(), n_positions=64, n_embd=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0,
        add_cross_attention=True, is_decoder=True)
    encoder = ViTConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, image_size=64, patch_size=16)
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder, decoder_start_token_id=0, pad_token_id=0)
    config._attn_implementation = "eager"
    model = VisionEncoderDecoderModel(config=config).eval()
    stir(model, 21, 2)
    model.tie_weights()
    generation = model.generation_config
    generation.max_length, generation.num_beams, generation.decoder_start_token_id = 16, 4, 0
    generation.eos_token_id = generation.bos_token_id = generation.pad_token_id = 0
    processor = ViTImageProcessorPil(size={"height": 64, "width": 64}, resample=2)
    save(out, model, words, {"tokenizer_class": "GPT2Tokenizer", "model_max_length": 64}, processor, "ViTImageProcessor", {})
    pixels = torch.zeros(1, 3, 64, 64)
    write(hub_graphs.VitEncoder(model), (pixels,), out / "onnx/encoder_model.onnx", ["pixel_values"], ["last_hidden_state"],
          {"pixel_values": BATCH, "last_hidden_state": BATCH})
    past, present, empty, axes = cache(2, 4, 8)
    write(hub_graphs.Gpt2Decoder(model), (torch.ones(2, 3, dtype=torch.long), torch.zeros(2, 17, 32), *empty),
          out / "onnx/decoder_model_merged.onnx", ["input_ids", "encoder_hidden_states", *past], ["logits", *present],
          {"input_ids": WORDS, "encoder_hidden_states": {0: "batch_size", 1: "encoder_sequence_length"}, "logits": WORDS, **axes})
    cases = []
    for k, (image, prompt) in enumerate(zip(pictures(), (None, "a photo of", None))):
        seen = torch.from_numpy(processor(image, return_tensors="np")["pixel_values"].astype(np.float32))
        start = [0, *(words.encode(prompt).ids if prompt else [])]
        limit = {"max_new_tokens": 15, "max_length": None}
        found = model.generate(seen, decoder_input_ids=torch.tensor([start]), do_sample=False, **limit)[0].tolist()
        ids = until(found[len(start) :], 0)
        logits = model(pixel_values=seen, decoder_input_ids=torch.tensor([[*start, *ids[:-1]]])).logits[0, len(start) - 1 :]
        cases.append(golden(out, k, image, {"prompt": prompt} if prompt else {}, ids, words.decode([*start[1:], *ids]), logits))
    put_json(out / "golden.json", {"cases": cases})


@torch.no_grad()
def florence2(out: Path) -> None:
    words = tiny_words.byte_pairs(["<s>", "<pad>", "</s>", "<unk>"], 330, ["<image>"])
    words.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    image_token = words.token_to_id("<image>")
    text = BartConfig(
        vocab_size=words.get_vocab_size(), d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=128, bos_token_id=0,
        pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, scale_embedding=False)
    vision = {"depths": [1, 1, 1, 1], "embed_dim": [16, 16, 16, 32], "num_heads": [2, 2, 2, 2], "num_groups": [2, 2, 2, 2],
              "window_size": 4, "projection_dim": 32, "max_temporal_embeddings": 4, "max_position_embeddings": 8, "drop_path_rate": 0.0}
    config = Florence2Config(text_config=text.to_dict(), vision_config=vision, image_token_id=image_token)
    config._attn_implementation = "eager"
    model = Florence2ForConditionalGeneration(config).eval()
    stir(model, 22, 2)
    model.tie_weights()
    generation = model.generation_config
    generation.bos_token_id, generation.pad_token_id, generation.eos_token_id = 0, 1, 2
    generation.decoder_start_token_id, generation.forced_bos_token_id = 2, 0
    generation.num_beams, generation.no_repeat_ngram_size, generation.early_stopping, generation.max_length = 3, 3, True, 19
    generation.forced_eos_token_id = None  # it would only end what is cut short
    processor = CLIPImageProcessorPil(size={"height": 64, "width": 64}, do_center_crop=False)
    save(out, model, words, {"tokenizer_class": "BartTokenizer", "model_max_length": 128}, processor, "CLIPImageProcessor",
         {"do_center_crop": False})
    write(hub_graphs.FlorenceVision(model), (torch.zeros(1, 3, 64, 64),), out / "onnx/vision_encoder.onnx", ["pixel_values"],
          ["image_features"], {"pixel_values": BATCH, "image_features": BATCH})
    ids = torch.ones(2, 3, dtype=torch.long)
    write(hub_graphs.Embed(model.get_input_embeddings()), (ids,), out / "onnx/embed_tokens.onnx", ["input_ids"], ["inputs_embeds"],
          {"input_ids": WORDS, "inputs_embeds": WORDS})
    write(hub_graphs.BartEncoder(model), (torch.zeros(2, 3, 32), ids), out / "onnx/encoder_model.onnx",
          ["inputs_embeds", "attention_mask"], ["last_hidden_state"],
          {"inputs_embeds": WORDS, "attention_mask": WORDS, "last_hidden_state": WORDS})
    past, present, empty, axes = cache(2, 4, 8, "decoder.")
    both = [name for i in range(0, len(present), 2) for name in
            (*present[i : i + 2], *(part.replace("decoder", "encoder") for part in present[i : i + 2]))]
    axes |= {name: {0: "batch_size", 2: "encoder_sequence_length"} for name in both if "encoder" in name}
    seen_words = {0: "batch_size", 1: "encoder_sequence_length"}
    write(hub_graphs.BartDecoder(model), (torch.zeros(2, 3, 32), torch.zeros(2, 5, 32), torch.ones(2, 5, dtype=torch.long), *empty),
          out / "onnx/decoder_model_merged.onnx", ["inputs_embeds", "encoder_hidden_states", "encoder_attention_mask", *past],
          ["logits", *both], {"inputs_embeds": WORDS, "encoder_hidden_states": seen_words, "encoder_attention_mask": seen_words,
                              "logits": WORDS, **axes})
    asked = (("<CAPTION>", "What does the image describe?", None), ("more detailed", "Describe with a paragraph what is shown in the image.", "more detailed"),
             ("ocr", "What is the text in the image?", "<OCR>"))
    cases = []
    for k, (image, (_, question, prompt)) in enumerate(zip(pictures(), asked)):
        seen = torch.from_numpy(processor(image, return_tensors="np")["pixel_values"].astype(np.float32))
        places = model.model.get_image_features(seen).pooler_output.shape[1]
        inputs = torch.tensor([[image_token] * places + words.encode(question).ids])
        found = model.generate(input_ids=inputs, pixel_values=seen, do_sample=False)[0].tolist()
        ids = until(found[1:], 2)
        logits = model(input_ids=inputs, pixel_values=seen, decoder_input_ids=torch.tensor([[2, *ids[:-1]]])).logits[0]
        # The first token is forced: what the model thought of it doesn't count.
        logits[0] = torch.nn.functional.one_hot(torch.tensor(0), logits.shape[-1]).log()
        cases.append(golden(out, k, image, {"prompt": prompt} if prompt else {}, ids, words.decode(ids), logits))
    put_json(out / "golden.json", {"cases": cases})


@torch.no_grad()
def smolvlm(out: Path) -> None:
    special = ["<|im_start|>", "<end_of_utterance>", "<image>", "<fake_token_around_image>", "<global-img>"]
    special += [f"<row_{i + 1}_col_{j + 1}>" for i in range(6) for j in range(6)]
    words = tiny_words.byte_pairs(special, 360)
    image_token = words.token_to_id("<image>")
    text = LlamaConfig(vocab_size=words.get_vocab_size(), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                       num_key_value_heads=2, max_position_embeddings=512, bos_token_id=0, eos_token_id=1, pad_token_id=1,
                       tie_word_embeddings=False)
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 32, "patch_size": 8}
    config = SmolVLMConfig(text_config=text.to_dict(), vision_config=vision, scale_factor=2, image_token_id=image_token)
    config._attn_implementation = "eager"
    model = SmolVLMForConditionalGeneration(config).eval()
    stir(model, 23, 2)
    model.generation_config.eos_token_id, model.generation_config.bos_token_id, model.generation_config.pad_token_id = 1, 0, 1
    model.generation_config.max_length, model.generation_config.max_new_tokens = None, 24
    images = Idefics3ImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    save(out, model, words, {"tokenizer_class": "GPT2Tokenizer", "model_max_length": 512, "chat_template": CHAT}, images,
         "Idefics3ImageProcessor", {"max_image_size": {"longest_edge": 32}, "do_image_splitting": True})
    write(hub_graphs.SmolVision(model), (torch.zeros(1, 2, 3, 32, 32),), out / "onnx/vision_encoder.onnx", ["pixel_values"],
          ["image_features"], {"pixel_values": {0: "batch_size", 1: "num_images"}, "image_features": {0: "num_images"}})
    write(hub_graphs.Embed(model.get_input_embeddings()), (torch.ones(2, 3, dtype=torch.long),), out / "onnx/embed_tokens.onnx",
          ["input_ids"], ["inputs_embeds"], {"input_ids": WORDS, "inputs_embeds": WORDS})
    past, present, empty, axes = cache(2, 2, 8)
    write(hub_graphs.LlamaDecoder(model), (torch.zeros(2, 3, 32), torch.ones(2, 3, dtype=torch.long), *empty),
          out / "onnx/decoder_model_merged.onnx", ["inputs_embeds", "position_ids", *past], ["logits", *present],
          {"inputs_embeds": WORDS, "position_ids": WORDS, "logits": WORDS, **axes})
    fast = PreTrainedTokenizerFast(tokenizer_object=words)
    processor = Idefics3Processor(images, fast, image_seq_len=4, chat_template=CHAT)
    ask = lambda text: {"role": "user", "content": [{"type": "text", "text": text}]}
    say = lambda text: {"role": "assistant", "content": [{"type": "text", "text": text}]}
    photo = {"type": "image"}
    square = pictures()[0]
    wide = square.resize((64, 32))
    talks = (
        (square, {"question": "What is in the photo?"}, [ask("What is in the photo?")]),
        (wide, {"question": "What colour is it?", "turns": [{"question": "Is it a dog?", "answer": "yes"}]},
         [ask("Is it a dog?"), say("yes"), ask("What colour is it?")]),
        (wide, {}, [ask("Describe this photo in one sentence.")]),
    )
    cases = []
    for k, (image, asked, messages) in enumerate(talks):
        messages[0]["content"].insert(0, photo)
        text = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        feeds = processor(text=text, images=[[image]], return_tensors="pt")
        seen = {"pixel_values": feeds["pixel_values"], "pixel_attention_mask": feeds["pixel_attention_mask"]}
        found = model.generate(input_ids=feeds["input_ids"], attention_mask=feeds["attention_mask"], **seen, do_sample=False)
        begun = feeds["input_ids"].shape[1]
        ids = until(found[0, begun:].tolist(), 1)
        logits = model(input_ids=torch.cat([feeds["input_ids"], torch.tensor([ids[:-1]], dtype=torch.long)], 1), **seen).logits[0, begun - 1 :]
        cases.append(golden(out, k, image, {**asked, "inputIds": feeds["input_ids"][0].tolist()}, ids, words.decode(ids), logits))
    put_json(out / "golden.json", {"cases": cases})


MAKERS = {"vit-gpt2": vit_gpt2, "florence2": florence2, "smolvlm": smolvlm}
