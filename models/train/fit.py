"""The training loop. Its schedule follows the wall clock, so it ends on time on a busy machine."""
from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from .batches import Sampler
from .captions import Captioner
from .losses import classify, contrastive
from .measure import label_bank, measure
from .photos import Photos
from .tokens import Encoder
from .towers import Clip


@dataclass
class Plan:
    minutes: float
    batch: int = 256
    rate: float = 2e-3
    floor: float = 1e-5
    decay: float = 0.05
    sizes: tuple[tuple[float, int], ...] = ((0.0, 64), (0.78, 96))  # from this part of the time on, this side in px
    average: float = 0.998  # of the weights that are measured and shipped (EMA)
    save_minutes: float = 4
    measure_minutes: float = 8
    threads: int = 2


def rate_at(part: float, plan: Plan) -> float:
    """Learning rate after this part of the time: 2 % warm-up, then a half cosine."""
    if part < 0.02:
        return plan.rate * max(part / 0.02, 0.02)
    return plan.floor + (plan.rate - plan.floor) * 0.5 * (1 + math.cos(math.pi * min((part - 0.02) / 0.98, 1)))


def fit(photos: Photos, captioner: Captioner, encoder: Encoder, plan: Plan, folder: Path, resume: bool, init: dict | None, seed: int = 0) -> Clip:
    torch.manual_seed(seed)
    torch.set_num_threads(plan.threads)
    model = Clip(encoder.size)
    if init:
        model.load_state_dict(init)
    model.image.to(memory_format=torch.channels_last)
    average = copy.deepcopy(model).requires_grad_(False)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": matrices, "weight_decay": plan.decay}, {"params": others, "weight_decay": 0.0}], lr=plan.rate, betas=(0.9, 0.98), fused=True)
    elapsed, step, seen = 0.0, 0, 0
    state = folder / "state.pt"
    if resume and state.exists():
        saved = torch.load(state, weights_only=True)
        model.load_state_dict(saved["model"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        elapsed, step, seen = saved["elapsed"], saved["step"], saved["seen"]
    bank = label_bank(model, captioner, encoder)
    began = time.monotonic() - elapsed
    total = plan.minutes * 60
    saved_at = measured_at = elapsed
    sampler, size, sums, count, marked, mark_seen = None, 0, torch.zeros(2), 0, time.monotonic(), seen
    log = open(folder / "log.jsonl", "a")

    def note(**entry) -> None:
        line = json.dumps(entry)
        print(line, file=log, flush=True)
        print(line, flush=True)

    while (elapsed := time.monotonic() - began) < total:
        part = elapsed / total
        want = [s for at, s in plan.sizes if part >= at][-1]
        if want != size:
            if sampler:
                sampler.close()
            size = want
            sampler = Sampler(photos, captioner, encoder, size, plan.batch, seed + step)
        for group in optimiser.param_groups:
            group["lr"] = rate_at(part, plan)
        model.train()
        b = sampler.next()
        with torch.autocast("cpu", torch.bfloat16):
            image = model.image.embed(b.pixels)
            text = torch.cat([model.text(*g) for g in b.texts])
            fresh = model.text(*b.fresh_texts)
        image, text, fresh = (F.normalize(t.float(), dim=1) for t in (image, text, fresh))
        labels = bank.clone()
        labels[b.fresh] = fresh
        scale = model.logit_scale()
        pair, name = contrastive(image, text, b.weight, scale), classify(image, labels, b.label, b.allowed, scale)
        optimiser.zero_grad(set_to_none=True)
        (pair + name).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        bank[b.fresh] = fresh.detach()
        step, seen, count = step + 1, seen + plan.batch, count + 1
        sums += torch.stack([pair.detach(), name.detach()])
        keep = min(plan.average, (step + 1) / (step + 20))
        with torch.no_grad():
            for a, p in zip(average.state_dict().values(), model.state_dict().values()):
                if a.dtype.is_floating_point:
                    a.lerp_(p, 1 - keep)
        if step % 50 == 0:
            now = time.monotonic()
            note(step=step, part=round(part, 4), seen=seen, pair=round(float(sums[0]) / count, 4), name=round(float(sums[1]) / count, 4), scale=round(scale.item(), 2),
                 rate=round(rate_at(part, plan), 6), px=size, per_second=round((seen - mark_seen) / (now - marked)), queued=sampler.queue.qsize())
            sums, count, marked, mark_seen = torch.zeros(2), 0, now, seen
        if elapsed - measured_at > plan.measure_minutes * 60:
            note(step=step, part=round(part, 4), measured=measure(average, photos, captioner, encoder, max(size, 64)))
            measured_at = elapsed
        if elapsed - saved_at > plan.save_minutes * 60:
            save(folder, model, average, optimiser, elapsed, step, seen)
            saved_at = elapsed
    save(folder, model, average, optimiser, elapsed, step, seen)
    if sampler:
        sampler.close()
    note(step=step, part=1.0, measured=measure(average, photos, captioner, encoder, size or 64))
    return average


def save(folder: Path, model: Clip, average: Clip, optimiser, elapsed: float, step: int, seen: int) -> None:
    """state.pt resumes this run; average.pt (fp16) is what export and --init read."""
    torch.save({"model": model.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict(), "elapsed": elapsed, "step": step, "seen": seen}, folder / "state.tmp")
    (folder / "state.tmp").rename(folder / "state.pt")
    torch.save({k: v.half() if v.dtype.is_floating_point else v for k, v in average.state_dict().items()}, folder / "average.tmp")
    (folder / "average.tmp").rename(folder / "average.pt")
