"""The training loop. Its schedule follows the wall clock, so it ends on time on a busy machine."""

from __future__ import annotations

import copy
import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.multiprocessing as mp
import torch.nn.functional as F

from .batches import Sampler
from .captions import Captioner
from .losses import classify, contrastive
from .measure import label_bank, measure
from .photos import Photos
from .together import Circle, Member
from .tokens import Encoder
from .towers import Clip


@dataclass
class Plan:
    minutes: float
    workers: int = 2
    batch: int = 128  # of each worker
    rate: float = 2e-3
    floor: float = 1e-5
    decay: float = 0.05
    sizes: tuple[tuple[float, int], ...] = ((0.0, 64), (0.85, 96))  # from this part of the time on, this side in px
    name_scale: float = 16.0  # of the cosines in the label loss; the contrastive one learns its own, which soft targets keep near 9
    average: float = 0.998  # of the weights that are measured and shipped (EMA)
    save_minutes: float = 4
    measure_minutes: float = 8


def rate_at(part: float, plan: Plan) -> float:
    """Learning rate after this part of the time: 2 % warm-up, then a half cosine."""
    if part < 0.02:
        return plan.rate * max(part / 0.02, 0.02)
    return plan.floor + (plan.rate - plan.floor) * 0.5 * (1 + math.cos(math.pi * min((part - 0.02) / 0.98, 1)))


def fit(
    photos: Photos, captioner: Captioner, encoder: Encoder, plan: Plan, folder: Path, resume: bool, init: dict | None, seed: int = 0
) -> None:
    """Trains in plan.workers processes; folder gets log.jsonl, state.pt and average.pt. Fork-safe as long as torch has not computed before."""
    circle = Circle(plan.workers, sum(p.numel() for p in Clip(encoder.size).parameters()))
    context = mp.get_context("fork")
    others = [
        context.Process(target=work, args=(r, circle, photos, captioner, encoder, plan, folder, resume, init, seed), daemon=True)
        for r in range(1, plan.workers)
    ]
    for process in others:
        process.start()
    work(0, circle, photos, captioner, encoder, plan, folder, resume, init, seed)
    for process in others:
        process.join()


def work(
    rank: int,
    circle: Circle,
    photos: Photos,
    captioner: Captioner,
    encoder: Encoder,
    plan: Plan,
    folder: Path,
    resume: bool,
    init: dict | None,
    seed: int,
) -> None:
    """One process's training. Rank 0 also keeps the clock, the log, the averaged weights and the checkpoints."""
    if rank:
        os.setsid()  # Linux shares the CPU among sessions; the second core is this process's own
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model = Clip(encoder.size)
    if init:
        model.load_state_dict(init)
    model.image.to(memory_format=torch.channels_last)
    average = copy.deepcopy(model).requires_grad_(False)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": plan.decay}, {"params": others, "weight_decay": 0.0}],
        lr=plan.rate,
        betas=(0.9, 0.98),
        fused=True,
    )
    elapsed, step, seen = 0.0, 0, 0
    state = folder / "state.pt"
    if resume and state.exists():
        saved = torch.load(state, weights_only=True)
        model.load_state_dict(saved["model"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        elapsed, step, seen = saved["elapsed"], saved["step"], saved["seen"]
    bank = label_bank(model, captioner, encoder)
    member = Member(circle, rank, list(model.parameters()))
    total = plan.minutes * 60
    began = time.monotonic() - elapsed
    log = Log(folder / "log.jsonl", seen)
    saved_at = measured_at = elapsed
    sampler, size, part, go_on = None, 0, elapsed / total, True
    while go_on:
        want = [s for at, s in plan.sizes if part >= at][-1]
        if want != size:
            if sampler:
                sampler.close()
            size = want
            sampler = Sampler(photos, captioner, encoder, size, plan.batch, seed + step * plan.workers + rank)
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
        pair, name = contrastive(image, text, b.weight, scale), classify(image, labels, b.label, b.allowed, plan.name_scale)
        optimiser.zero_grad(set_to_none=True)
        (pair + name).backward()
        bank[b.fresh] = fresh.detach()
        elapsed = time.monotonic() - began
        part, go_on = member.meet(elapsed / total, elapsed < total)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        step, seen = step + 1, seen + plan.batch * plan.workers
        if rank:
            continue
        keep = min(plan.average, (step + 1) / (step + 20))
        with torch.no_grad():
            for a, p in zip(average.state_dict().values(), model.state_dict().values()):
                if a.dtype.is_floating_point:
                    a.lerp_(p, 1 - keep)
        log.add(step, seen, pair=pair.item(), name=name.item(), part=part, scale=scale.item(), rate=rate_at(part, plan), px=size)
        if elapsed - measured_at > plan.measure_minutes * 60:
            log.write(step=step, part=round(part, 4), measured=measure(average, photos, captioner, encoder, size))
            measured_at = elapsed
        if elapsed - saved_at > plan.save_minutes * 60:
            save(folder, model, average, optimiser, elapsed, step, seen)
            saved_at = elapsed
    if rank == 0:
        save(folder, model, average, optimiser, elapsed, step, seen)
        log.write(step=step, part=1.0, measured=measure(average, photos, captioner, encoder, size))
    sampler.close()


class Log:
    """Appends JSON lines: the losses' means every 50 steps, and whatever else is written."""

    def __init__(self, path: Path, seen: int):
        self.file, self.rows, self.seen, self.at = open(path, "a"), [], seen, time.monotonic()

    def write(self, **entry) -> None:
        print(json.dumps(entry), file=self.file, flush=True)

    def add(self, step: int, seen: int, pair: float, name: float, **rest: float) -> None:
        self.rows.append((pair, name))
        if step % 50 == 0:
            mean, now = np.mean(self.rows, axis=0), time.monotonic()
            self.write(
                step=step,
                seen=seen,
                pair=round(float(mean[0]), 4),
                name=round(float(mean[1]), 4),
                **{k: round(v, 6) for k, v in rest.items()},
                per_second=round((seen - self.seen) / (now - self.at)),
            )
            self.rows, self.seen, self.at = [], seen, now


def save(folder: Path, model: Clip, average: Clip, optimiser, elapsed: float, step: int, seen: int) -> None:
    """state.pt resumes this run; average.pt (fp16) is what export and --init read."""
    torch.save(
        {
            "model": model.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "elapsed": elapsed,
            "step": step,
            "seen": seen,
        },
        folder / "state.tmp",
    )
    (folder / "state.tmp").rename(folder / "state.pt")
    torch.save({k: v.half() if v.dtype.is_floating_point else v for k, v in average.state_dict().items()}, folder / "average.tmp")
    (folder / "average.tmp").rename(folder / "average.pt")
