"""Writes tune/training.json: losses, gradients and AdamW updates of small models, as PyTorch computes them.

Run with any PyTorch: python test/golden/make_training_golden.py
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

torch.manual_seed(7)
torch.set_default_dtype(torch.float32)


def listed(tensor):
    return [float(f"{value:.8g}") for value in tensor.detach().flatten().tolist()]


def run(parameters, inputs, loss_of, steps=5, rate=1e-2):
    """Five clipped AdamW steps; gradients are those of the first."""
    start = {name: listed(value) for name, value in parameters.items()}
    shapes = {name: list(value.shape) for name, value in parameters.items()}
    leaves = {name: value.clone().requires_grad_(True) for name, value in parameters.items()}
    optimizer = torch.optim.AdamW(leaves.values(), lr=rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    losses, gradients = [], None
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(leaves, inputs)
        loss.backward()
        losses.append(loss.item())
        if gradients is None:
            gradients = {name: listed(value.grad) for name, value in leaves.items()}
        torch.nn.utils.clip_grad_norm_(leaves.values(), 1.0)
        optimizer.step()
    return {
        "shapes": shapes,
        "start": start,
        "inputs": {name: {"shape": list(value.shape), "values": listed(value)} for name, value in inputs.items()},
        "rate": rate,
        "losses": losses,
        "gradients": gradients,
        "after": {name: listed(value) for name, value in leaves.items()},
    }


def contrast(images, texts, scale):
    logits = scale * images @ texts.T
    target = torch.arange(len(images))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def residual(p, x):
    d = p["delta"].shape[0]
    weight = 0.8 * torch.eye(d) + 0.2 * p["delta"]
    images = F.normalize(x["images"] @ weight, dim=-1)
    loss = contrast(images, x["texts"], p["logit_scale"].clamp(max=math.log(100)).exp())
    return loss + 0.01 * (p["delta"] - torch.eye(d)).pow(2).sum()


def transformer_block(p, x):
    """One head of attention with pre-norm, then a GELU network, mean-pooled, cross-entropy over four classes."""
    h = F.layer_norm(x["tokens"], (8,), p["gain"], p["bias"])
    q, k, v = h @ p["query"], h @ p["key"], h @ p["value"]
    attended = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(8), dim=-1) @ v
    hidden = x["tokens"] + attended
    hidden = hidden + F.gelu(hidden @ p["up"]) @ p["down"]
    logits = hidden.mean(dim=1) @ p["classes"]
    return -(F.log_softmax(logits, dim=-1) * x["targets"]).sum(dim=1).mean()


def siglip(p, x):
    images = F.normalize(x["images"] @ p["weight"], dim=-1)
    logits = p["logit_scale"].exp() * images @ x["texts"].T + p["logit_bias"]
    signs = 2 * torch.eye(len(images)) - 1
    return -F.logsigmoid(signs * logits).sum(dim=1).mean()


def nt_xent(p, x):
    views = torch.cat([F.normalize(x["images"] @ p["weight"], dim=-1), x["texts"]])
    n = len(views) // 2
    logits = views @ views.T / 0.1 - 1e9 * torch.eye(2 * n)
    return F.cross_entropy(logits, torch.cat([torch.arange(n, 2 * n), torch.arange(n)]))


def main():
    batch, d = 6, 8
    pairs = {
        "images": F.normalize(torch.randn(batch, d), dim=-1),
        "texts": F.normalize(torch.randn(batch, d), dim=-1),
    }
    golden = {
        "residual": run(
            {"delta": torch.eye(d), "logit_scale": torch.tensor([math.log(1 / 0.07)])}, pairs, residual
        ),
        "transformer": run(
            {
                "gain": torch.ones(8) + 0.1 * torch.randn(8),
                "bias": 0.1 * torch.randn(8),
                **{name: torch.randn(8, 8) / math.sqrt(8) for name in ("query", "key", "value")},
                "up": torch.randn(8, 16) / math.sqrt(8),
                "down": torch.randn(16, 8) / 4,
                "classes": torch.randn(8, 4) / math.sqrt(8),
            },
            {
                "tokens": torch.randn(3, 5, 8),
                "targets": F.one_hot(torch.tensor([1, 3, 0]), 4).float(),
            },
            transformer_block,
        ),
        "siglip": run(
            {
                "weight": torch.eye(d) + 0.1 * torch.randn(d, d),
                "logit_scale": torch.tensor([math.log(10.0)]),
                "logit_bias": torch.tensor([-2.0]),
            },
            pairs,
            siglip,
        ),
        "ntXent": run({"weight": torch.eye(d) + 0.1 * torch.randn(d, d)}, pairs, nt_xent),
    }
    folder = Path(__file__).parent / "tune"
    folder.mkdir(exist_ok=True)
    (folder / "training.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
