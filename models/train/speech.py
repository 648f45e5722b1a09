"""The captioner and the answerer: both read the image tower's 36 cells and the photo's colours, both know the label names."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from .towers import DIMS, Layer

WIDTH, HEADS = 256, 4
CELLS = 36
PLACES = 40  # tokens of a caption, at most
GUESSES = 4  # label names put before the decoder one by one
MEMORY = CELLS + 2 + GUESSES


class Sight(nn.Module):
    """patch_embeds (B,36,256), pixels (B,3,24,24) -> memory (B,42,256), label logits (B,L).

    Memory is the 36 cells, the whole photo, and what it is probably called: the label names' vectors averaged by their
    probabilities, and the four likeliest, each with its probability. The label head starts as the starter's own zero-shot classifier, so naming need not be learnt anew.
    """

    def __init__(self, labels: int):
        super().__init__()
        self.colour = nn.Sequential(nn.Conv2d(3, 24, 1), nn.GELU(), nn.Conv2d(24, 24, 1), nn.GELU())
        self.norm, self.cell = nn.LayerNorm(DIMS), nn.Linear(DIMS + 24, WIDTH)
        self.place = nn.Parameter(torch.randn(CELLS, WIDTH) * 0.02)
        self.zero_shot = nn.Linear(DIMS, labels)
        self.inner, self.outer = nn.Linear(2 * WIDTH + DIMS, 640), nn.Linear(640, labels)
        self.whole, self.names = nn.Linear(2 * WIDTH + DIMS, WIDTH), nn.Embedding(labels, WIDTH)
        self.rank, self.sure = nn.Parameter(torch.randn(GUESSES, WIDTH) * 0.02), nn.Parameter(torch.randn(WIDTH) * 0.02)
        self.drop, self.last = nn.Dropout(0.35), nn.LayerNorm(WIDTH)
        nn.init.zeros_(self.outer.weight)

    def forward(self, patches: torch.Tensor, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        colour = F.avg_pool2d(self.colour(pixels), 4).flatten(2).transpose(1, 2)
        cells = F.gelu(self.cell(torch.cat([self.norm(patches), colour], -1)))
        unit = F.normalize(patches.mean(1), dim=-1)
        pooled = torch.cat([cells.mean(1), cells.amax(1), unit * 16], -1)
        logits = self.zero_shot(unit) + self.outer(self.drop(F.gelu(self.inner(self.drop(pooled)))))
        chance = torch.softmax(logits.float(), -1)
        first = torch.topk(chance, GUESSES, dim=-1)
        guesses = self.names(first.indices) + self.rank + first.values[..., None] * self.sure
        memory = torch.cat([cells + self.place, self.whole(pooled)[:, None], (chance @ self.names.weight)[:, None], guesses], 1)
        return self.last(memory), logits


class Attend(nn.Module):
    """Cross-attention whose keys and values were made beforehand."""

    def __init__(self, d: int = WIDTH):
        super().__init__()
        self.norm, self.q, self.out = nn.LayerNorm(d), nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, x: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        b, t, d = x.shape
        q = self.q(self.norm(x)).view(b, t, HEADS, d // HEADS).transpose(1, 2)
        att = torch.softmax(q @ key.transpose(2, 3) * (d // HEADS) ** -0.5, -1)
        return self.out((att @ value).transpose(1, 2).reshape(b, t, d))


class Step(nn.Module):
    """One decoder layer: causal self-attention over past and present, cross-attention, feed-forward."""

    def __init__(self, d: int = WIDTH, p: float = 0.1):
        super().__init__()
        self.n1, self.qkv, self.out = nn.LayerNorm(d), nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.cross = Attend(d)
        self.n2, self.up, self.down = nn.LayerNorm(d), nn.Linear(d, 4 * d), nn.Linear(4 * d, d)
        self.drop = nn.Dropout(p)

    def forward(self, x, bias, past_key, past_value, cross_key, cross_value):
        b, t, d = x.shape
        q, k, v = self.qkv(self.n1(x)).view(b, t, 3, HEADS, d // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        k, v = torch.cat([past_key, k], 2), torch.cat([past_value, v], 2)
        att = torch.softmax(q @ k.transpose(2, 3) * (d // HEADS) ** -0.5 + bias, -1)
        x = x + self.drop(self.out((att @ v).transpose(1, 2).reshape(b, t, d)))
        x = x + self.drop(self.cross(x, cross_key, cross_value))
        return x + self.drop(self.down(F.gelu(self.up(self.n2(x))))), k, v


def split(x: torch.Tensor) -> torch.Tensor:
    """(B,S,D) -> (B,H,S,D/H)."""
    return x.view(x.shape[0], x.shape[1], HEADS, x.shape[2] // HEADS).transpose(1, 2)


class Decoder(nn.Module):
    """input_ids (B,T), past and cross keys and values -> logits (B,T,V), keys and values with T more; see pack.json's contract."""

    def __init__(self, vocabulary: int, layers: int):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, WIDTH), nn.Embedding(PLACES, WIDTH)
        self.steps = nn.ModuleList(Step() for _ in range(layers))
        self.norm, self.bias, self.drop = nn.LayerNorm(WIDTH), nn.Parameter(torch.zeros(vocabulary)), nn.Dropout(0.1)
        nn.init.normal_(self.tokens.weight, std=0.05)
        nn.init.normal_(self.places.weight, std=0.02)

    def forward(self, ids, past, cross):
        """past, cross: key, value of layer 0, key, value of layer 1, ..."""
        p, t = past[0].shape[2], ids.shape[1]
        at = torch.arange(p + t, device=ids.device)
        bias = (at[None, :] > at[p:, None]).to(past[0].dtype) * -1e4
        x = self.drop(self.tokens(ids) + self.places(at[p:]))
        present = []
        for k, step in enumerate(self.steps):
            x, key, value = step(x, bias, past[2 * k], past[2 * k + 1], cross[2 * k], cross[2 * k + 1])
            present += [key, value]
        return self.norm(x) @ self.tokens.weight.T + self.bias, present

    def no_past(self, batch: int) -> list[torch.Tensor]:
        return [torch.zeros(batch, HEADS, 0, WIDTH // HEADS) for _ in range(2 * len(self.steps))]


class Captioner(nn.Module):
    def __init__(self, vocabulary: int, labels: int, layers: int = 3):
        super().__init__()
        self.sight, self.decoder = Sight(labels), Decoder(vocabulary, layers)
        self.cross = nn.ModuleList(nn.Linear(WIDTH, 2 * WIDTH) for _ in range(layers))

    def see(self, patches, pixels) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Cross keys and values, in the decoder's order, and label logits."""
        memory, labels = self.sight(patches, pixels)
        return [split(half) for project in self.cross for half in project(memory).chunk(2, -1)], labels


class Answerer(nn.Module):
    """A question's tokens read it (the starter's two text layers), look at the photo, and vote for an answer."""

    def __init__(self, vocabulary: int, labels: int, answers: int, layers: int = 3, length: int = 24):
        super().__init__()
        self.sight = Sight(labels)
        self.tokens, self.places = nn.Embedding(vocabulary, WIDTH), nn.Embedding(length, WIDTH)
        self.read = nn.ModuleList(Layer(WIDTH, HEADS) for _ in range(2))
        self.look = nn.ModuleList(Attend() for _ in range(layers))
        self.cross = nn.ModuleList(nn.Linear(WIDTH, 2 * WIDTH) for _ in range(layers))
        self.think = nn.ModuleList(Layer(WIDTH, HEADS) for _ in range(layers))
        self.norm, self.drop = nn.LayerNorm(2 * WIDTH), nn.Dropout(0.2)
        self.hidden, self.answer = nn.Linear(2 * WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, answers)

    def see(self, patches, pixels) -> tuple[list[torch.Tensor], torch.Tensor]:
        memory, labels = self.sight(patches, pixels)
        return [split(half) for project in self.cross for half in project(memory).chunk(2, -1)], labels

    def reply(self, ids, mask, cross) -> torch.Tensor:
        """Answer logits (B,A) for questions ids, mask (B,T); cross (B or 1, ...) from see()."""
        x = self.tokens(ids) + self.places.weight[: ids.shape[1]]
        keep = mask.to(x.dtype)
        bias = (1.0 - keep)[:, None, None, :] * -1e4
        for layer in self.read:
            x = layer(x, bias)
        for k, (look, think) in enumerate(zip(self.look, self.think)):
            x = x + self.drop(look(x, cross[2 * k], cross[2 * k + 1]))
            x = think(x, bias)
        mean = (x * keep[..., None]).sum(1) / keep.sum(1, keepdim=True)
        pooled = self.drop(self.norm(torch.cat([x[:, 0], mean], -1)))
        return self.answer(self.drop(F.gelu(self.hidden(pooled))))
