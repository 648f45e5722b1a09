"""The two towers. Both end in the same D-wide space; cosine there is what the app ranks by."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

DIMS = 256
WIDTHS, DEPTHS, STRIDES = (64, 128, 256, 448), (1, 2, 2, 1), (1, 2, 2, 1)


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut: plain convolutions are what CPUs run fastest per MAC (measured)."""

    def __init__(self, i: int, o: int, stride: int):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.c2, self.b2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.short = nn.Identity()
        if stride > 1 or i != o:
            self.short = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))
        nn.init.zeros_(self.b2.weight)

    def forward(self, x):
        return torch.relu(self.b2(self.c2(torch.relu(self.b1(self.c1(x))))) + self.short(x))


class ImageTower(nn.Module):
    """pixel_values (B,3,H,W) -> image_embeds (B,D), patch_embeds (B,H/16*W/16,D); the first is the mean of the second."""

    def __init__(self):
        super().__init__()
        w = WIDTHS[0]
        self.stem = nn.Sequential(
            nn.Conv2d(3, w // 2, 3, 2, 1, bias=False),
            nn.BatchNorm2d(w // 2),
            nn.ReLU(),
            nn.Conv2d(w // 2, w, 3, 2, 1, bias=False),
            nn.BatchNorm2d(w),
            nn.ReLU(),
        )
        blocks, i = [], w
        for o, n, s in zip(WIDTHS, DEPTHS, STRIDES):
            for k in range(n):
                blocks.append(Block(i, o, s if k == 0 else 1))
                i = o
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(i, DIMS)

    def features(self, x):
        return self.blocks(self.stem(x))

    def forward(self, x):
        cells = self.head(self.features(x).flatten(2).transpose(1, 2))
        return cells.mean(1), cells

    def embed(self, x):
        """Same as forward(x)[0], with the pooling before the projection: cheaper in training."""
        return self.head(self.features(x).mean((2, 3)))


class Layer(nn.Module):
    def __init__(self, d: int, heads: int):
        super().__init__()
        self.heads = heads
        self.n1, self.qkv, self.out = nn.LayerNorm(d), nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.n2, self.up, self.down = nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.Linear(2 * d, d)

    def forward(self, x, bias):
        b, n, d = x.shape
        q, k, v = self.qkv(self.n1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        att = torch.softmax(q @ k.transpose(2, 3) * (d // self.heads) ** -0.5 + bias, -1)
        x = x + self.out((att @ v).transpose(1, 2).reshape(b, n, d))
        return x + self.down(F.gelu(self.up(self.n2(x))))


class TextTower(nn.Module):
    """input_ids, attention_mask (B,L) int64 -> text_embeds (B,D): masked mean over tokens, so padding changes nothing."""

    def __init__(self, vocabulary: int, width: int = 256, layers: int = 2, heads: int = 4, length: int = 24):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, DIMS)
        nn.init.normal_(self.tokens.weight, std=0.02)
        nn.init.normal_(self.places.weight, std=0.01)

    def forward(self, ids, mask):
        x = self.tokens(ids) + self.places.weight[: ids.shape[1]]
        keep = mask.to(x.dtype)
        bias = (1.0 - keep)[:, None, None, :] * -1e4
        for layer in self.layers:
            x = layer(x, bias)
        x = self.norm(x) * keep[..., None]
        return self.head(x.sum(1) / keep.sum(1, keepdim=True))


class Clip(nn.Module):
    def __init__(self, vocabulary: int):
        super().__init__()
        self.image, self.text = ImageTower(), TextTower(vocabulary)
        self.scale = nn.Parameter(torch.tensor(2.66))  # ln(1/0.07), as CLIP starts

    def logit_scale(self):
        return self.scale.clamp(max=4.0).exp()
