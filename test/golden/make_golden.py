"""Makes the golden files of this folder: what Pillow, Hugging Face's processors, tokenizers and PyTorch models give.

Run once, by hand, when the reference changes; the results are committed. Needs Python 3.11 with pillow==11.3.0
(13 runs the vertical pass first for some shapes, which moves a few pixels by one level) numpy torch==2.15.0 onnx onnxscript transformers==4.57.6 tokenizers. Usage: python test/golden/make_golden.py
"""
from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
)

HERE = Path(__file__).parent
SIZES = [(160, 120), (211, 301), (97, 203), (203, 61), (40, 33), (64, 64)]
TEXTS = [
    "a photo of a dog",
    "Red CAR, on the street!",
    "  two   spaces\tand tabs ",
    "naïve café — 東京 1234",
    "don't stop 😀",
    "a very long sentence about a dog and a cat and a car and a street " * 6,
]
CORPUS = [
    "a photo of a dog on the street", "the red car and the blue car", "a cat sleeps on the sofa in the sun",
    "people walk at the beach at sunset", "don't stop the car", "a very long sentence about a small house",
] * 20


def picture(width: int, height: int, seed: int) -> Image.Image:
    """Waves, an edge and a little noise: smooth enough to stay small, busy enough to show a wrong kernel."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    rng = np.random.default_rng(seed)
    channels = [
        128 + 90 * np.sin(x / (3 + seed)) * np.cos(y / 7),
        128 + 100 * np.sign(np.sin((x + 2 * y) / 11)),
        255 * x / max(1, width - 1),
    ]
    noise = rng.integers(-6, 7, (height, width, 1)) * (rng.random((height, width, 1)) < 0.02)
    return Image.fromarray(np.clip(np.stack(channels, -1) + noise, 0, 255).astype(np.uint8))


def pixels(processor, image: Image.Image) -> np.ndarray:
    out = processor(image, return_tensors="np", do_rescale=False, do_normalize=False)["pixel_values"][0]
    return np.transpose(np.clip(out, 0, 255).astype(np.uint8), (1, 2, 0))


def preprocessing() -> None:
    folder = HERE / "preprocess"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    cases = []
    specs = {
        "clip-96": (CLIPImageProcessor(size={"shortest_edge": 96}, crop_size={"height": 96, "width": 96}), 96, 3),
        "siglip-96": (SiglipImageProcessor(size={"height": 96, "width": 96}, resample=3), 96, 3),
        "siglip2-80": (SiglipImageProcessor(size={"height": 80, "width": 80}, resample=2), 80, 2),
        "clip-lanczos-50": (
            CLIPImageProcessor(size={"shortest_edge": 61}, crop_size={"height": 50, "width": 50}, resample=1), 50, 1),
        "clip-pad-64": (CLIPImageProcessor(size={"shortest_edge": 41}, crop_size={"height": 64, "width": 64}), 64, 3),
    }
    big = {
        "clip-224": (CLIPImageProcessor(), 224, 3),
        "siglip-224": (SiglipImageProcessor(resample=3), 224, 3),
    }
    for seed, (width, height) in enumerate(SIZES):
        image = picture(width, height, seed)
        name = f"{width}x{height}.png"
        image.save(folder / name, optimize=True)
        chosen = dict(specs) if seed < 4 else {k: specs[k] for k in ("clip-96", "siglip-96")}
        if seed == 1:
            chosen |= big
        for spec, (processor, _, _) in chosen.items():
            expected = f"{width}x{height}.{spec}.png"
            Image.fromarray(pixels(processor, image)).save(folder / expected, optimize=True)
            config = json.loads(processor.to_json_string())
            keep = ("image_processor_type", "do_resize", "size", "resample", "do_center_crop", "crop_size")
            cases.append({"image": name, "expected": expected, "config": {k: config[k] for k in keep if k in config}})
    (folder / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


def clip_tokenizer() -> Tokenizer:
    tok = Tokenizer(models.BPE(unk_token="<|endoftext|>", continuing_subword_prefix="", end_of_word_suffix="</w>"))
    tok.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    pattern = Regex(r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+""")
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(pattern, behavior="removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), end_of_word_suffix="</w>",
        special_tokens=["<|startoftext|>", "<|endoftext|>"])
    tok.train_from_iterator(CORPUS + list(map(chr, range(33, 127))), trainer)
    bos, eos = tok.token_to_id("<|startoftext|>"), tok.token_to_id("<|endoftext|>")
    tok.post_processor = processors.RobertaProcessing(
        sep=("<|endoftext|>", eos), cls=("<|startoftext|>", bos), trim_offsets=False, add_prefix_space=False)
    return tok


def siglip_tokenizer() -> Tokenizer:
    tok = Tokenizer(models.Unigram())
    tok.normalizer = normalizers.Sequence([
        normalizers.Lowercase(), normalizers.Replace(Regex(r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"""), ""),
        normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()])
    tok.pre_tokenizer = pre_tokenizers.Metaspace()
    tok.decoder = decoders.Metaspace()
    tok.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=120, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"))
    tok.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", tok.token_to_id("</s>"))])
    return tok


def gemma_tokenizer() -> Tokenizer:
    """SigLIP 2's kind: BPE over spaces turned into marks, bytes where a letter is unknown, an end token."""
    tok = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tok.normalizer = normalizers.Replace(" ", "▁")
    tok.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    special = ["<pad>", "<eos>", "<bos>", "<unk>"] + [f"<0x{k:02X}>" for k in range(256)]
    tok.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=420, special_tokens=special))
    tok.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", tok.token_to_id("<eos>"))])
    return tok


def reference_ids(tok: Tokenizer, text: str, length: int, prepare) -> list[int]:
    """Truncated as transformers does it: before the special tokens are added."""
    tok.enable_truncation(length)
    ids = tok.encode(prepare(text)).ids
    tok.no_truncation()
    return ids


def unit(row: torch.Tensor) -> list[float]:
    return [round(float(v), 5) for v in row / row.norm()]


def export(module: torch.nn.Module, inputs: tuple, path: Path, names: tuple[list[str], list[str]], dynamic: dict) -> None:
    torch.onnx.export(
        module.eval(), inputs, str(path), input_names=names[0], output_names=names[1], dynamic_axes=dynamic,
        opset_version=17, dynamo=False)


class Vision(torch.nn.Module):
    def __init__(self, model, project):
        super().__init__()
        self.model, self.project = model, project

    def forward(self, pixel_values):
        pooled = self.model.vision_model(pixel_values=pixel_values).pooler_output
        return self.model.visual_projection(pooled) if self.project else pooled


class Text(torch.nn.Module):
    def __init__(self, model, project):
        super().__init__()
        self.model, self.project = model, project

    def forward(self, input_ids, attention_mask=None):
        pooled = self.model.text_model(input_ids=input_ids, attention_mask=attention_mask).pooler_output
        return self.model.text_projection(pooled) if self.project else pooled


class Both(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.vision, self.text = Vision(model, True), Text(model, True)

    def forward(self, input_ids, pixel_values, attention_mask):
        text, image = self.text(input_ids, attention_mask), self.vision(pixel_values)
        logits = text @ image.T
        return logits.T, logits, text, image


def pack(name: str, family: str, model, processor, tok: Tokenizer, pad: str, length: int, prepare, dims: int) -> None:
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "onnx").mkdir(parents=True)
    clip, combined = family == "clip", name.endswith("combined")
    put = lambda file, content: (folder / file).write_text(json.dumps(content, ensure_ascii=False) + "\n")
    tok.save(str(folder / "tokenizer.json"), pretty=False)
    put("tokenizer_config.json", {"pad_token": pad, "model_max_length": length})
    config = json.loads(processor.to_json_string())
    put("preprocessor_config.json", {k: v for k, v in config.items() if not k.startswith("_")})
    put("config.json", {
        "model_type": "clip" if clip else "siglip", **({"projection_dim": dims} if clip else {}),
        "vision_config": {"hidden_size": model.config.vision_config.hidden_size},
        "text_config": {"max_position_embeddings": length, **({"vocab_size": 256000} if family == "siglip2" else {})}})
    size = processor.size.get("height") or processor.size["shortest_edge"]
    image_input, ids = torch.zeros(2, 3, size, size), torch.zeros(2, length, dtype=torch.long)
    ids[:, -1] = tok.get_vocab_size() - 1
    mask = torch.ones_like(ids)
    image_name, text_name = ("image_embeds", "text_embeds") if clip else ("pooler_output", "pooler_output")
    text_axes = {0: "text_batch", 1: "sequence"} if clip else {0: "text_batch"}
    with torch.no_grad():
        if combined:
            export(Both(model), (ids, image_input, mask), folder / "onnx/model.onnx",
                   (["input_ids", "pixel_values", "attention_mask"], ["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"]),
                   {"input_ids": text_axes, "attention_mask": text_axes, "pixel_values": {0: "image_batch"},
                    "text_embeds": {0: "text_batch"}, "image_embeds": {0: "image_batch"}})
        else:
            export(Vision(model, clip), (image_input,), folder / "onnx/vision_model.onnx", (["pixel_values"], [image_name]),
                   {"pixel_values": {0: "image_batch"}, image_name: {0: "image_batch"}})
            export(Text(model, clip), (ids,), folder / "onnx/text_model.onnx", (["input_ids"], [text_name]),
                   {"input_ids": text_axes, text_name: {0: "text_batch"}})
        images, texts = [], []
        for width, height in SIZES[:4]:
            inputs = processor(Image.open(HERE / f"preprocess/{width}x{height}.png"), return_tensors="pt")
            images.append({"file": f"../preprocess/{width}x{height}.png", "embedding": unit(Vision(model, clip)(inputs["pixel_values"])[0])})
        for text in TEXTS:
            tokens = reference_ids(tok, text, length, prepare)
            if clip:  # As the processor pads: to the full length, with a mask.
                row = tokens + [tok.token_to_id(pad)] * (length - len(tokens))
                attention = torch.tensor([[1] * len(tokens) + [0] * (length - len(tokens))])
                found = Text(model, True)(torch.tensor([row]), attention)[0]
            else:
                row = tokens + [tok.token_to_id(pad)] * (length - len(tokens))
                found = Text(model, False)(torch.tensor([row]))[0]
            texts.append({"text": text, "ids": tokens, "embedding": unit(found)})
    put("expected.json", {"images": images, "texts": texts})


def punctuation_free(text: str) -> str:
    import string
    return " ".join(text.lower().translate(str.maketrans("", "", string.punctuation)).split())


def main() -> None:
    torch.manual_seed(7)
    preprocessing()
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {**tower, "image_size": 32, "patch_size": 8}
    tok = clip_tokenizer()
    eos = tok.token_to_id("<|endoftext|>")
    clip = CLIPModel(CLIPConfig(
        text_config={**tower, "vocab_size": tok.get_vocab_size(), "max_position_embeddings": 77, "eos_token_id": eos,
                     "bos_token_id": tok.token_to_id("<|startoftext|>"), "pad_token_id": eos},
        vision_config=vision, projection_dim=24)).eval()
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    for name in ("clip-tiny", "clip-tiny-combined"):
        pack(name, "clip", clip, processor, tok, "<|endoftext|>", 77, str, 24)
    for name, family, tok, prepare, resample in (
        ("siglip-tiny", "siglip", siglip_tokenizer(), punctuation_free, 3),
        ("siglip2-tiny", "siglip2", gemma_tokenizer(), str.lower, 2),
    ):
        siglip = SiglipModel(SiglipConfig(
            text_config={**tower, "vocab_size": tok.get_vocab_size(), "max_position_embeddings": 64, "projection_size": 16},
            vision_config=vision)).eval()
        for parameter in siglip.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.8)
        processor = SiglipImageProcessor(size={"height": 32, "width": 32}, resample=resample)
        pack(name, family, siglip, processor, tok, "<pad>", 64, prepare, 16)
    total = sum(p.stat().st_size for p in HERE.rglob("*") if p.is_file())
    print(f"{total / 1e6:.2f} MB", hashlib.sha256(b"".join(sorted(p.read_bytes() for p in HERE.rglob("*.json")))).hexdigest()[:16])


if __name__ == "__main__":
    main()
