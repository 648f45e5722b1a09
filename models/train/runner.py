"""Runs a pack folder the way the app does: Pillow's resize, centre crop, onnxruntime on the CPU."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

from .tokens import Encoder


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


class Pack:
    def __init__(self, folder: Path, threads: int = 1):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        self.vision = ort.InferenceSession(str(folder / "onnx/vision_model.onnx"), options, providers=providers)
        self.text = ort.InferenceSession(str(folder / "onnx/text_model.onnx"), options, providers=providers)
        self.encoder = Encoder(folder / "tokenizer.json")
        pre = json.loads((folder / "preprocessor_config.json").read_text())
        self.short, self.crop = pre["size"]["shortest_edge"], pre["crop_size"]["height"]
        self.resample = pre["resample"]  # Pillow's number
        self.mean, self.std = np.array(pre["image_mean"], np.float32), np.array(pre["image_std"], np.float32)

    def pixels(self, photo: Image.Image) -> np.ndarray:
        """float32 (3,S,S), as transformers' CLIPImageProcessor makes it."""
        photo = photo.convert("RGB")
        w, h = photo.size
        size = (self.short, int(self.short * h / w)) if w <= h else (int(self.short * w / h), self.short)
        photo = photo.resize(size, Image.Resampling(self.resample))
        x, y = (photo.width - self.crop) // 2, (photo.height - self.crop) // 2
        photo = photo.crop((x, y, x + self.crop, y + self.crop))
        return ((np.asarray(photo, np.float32) / 255 - self.mean) / self.std).transpose(2, 0, 1)

    def images(self, photos: list[Image.Image], batch: int = 64) -> np.ndarray:
        """Unit vectors float32 (n,D)."""
        out = []
        for k in range(0, len(photos), batch):
            x = np.stack([self.pixels(p) for p in photos[k : k + batch]])
            out.append(self.vision.run(["image_embeds"], {"pixel_values": x})[0])
        return unit(np.concatenate(out))

    def texts(self, texts: list[str], templates: list[str] | None = None) -> np.ndarray:
        """Unit vectors float32 (n,D): the unit vectors of all templates averaged, and normalised again."""
        total: np.ndarray | float = 0.0
        for template in templates or ["{}"]:
            ids, mask = self.encoder([template.replace("{}", t) for t in texts])
            total = total + unit(self.text.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0])
        return unit(total)
