"""Trains the captioner on views of the photos: first the names alone, then sentences and names together."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from .concepts import CAPTION_NOUNS
from .facts import Facts
from .junk import training_junk
from .look import look
from .runner import Pack
from .sentences import caption
from .speech import PLACES, Captioner, Sight
from .tokens import Encoder
from .views import Views

# Share of each source among the photos shown; human captions weigh most for their number.
SHARES = {
    "tiny_imagenet": 0.40,
    "coco_captions": 0.16,
    "caltech101": 0.10,
    "sports15": 0.055,
    "intel_scenes": 0.055,
    "voc_vehicles": 0.045,
    "daquar_rooms": 0.04,
    "pacs_photo": 0.035,
    "grocery81": 0.035,
    "viic_sports": 0.035,
    "scene15_grey": 0.02,
    "weather5": 0.02,
    "clothing10": 0.02,
    "flowers5": 0.02,
    "coco128": 0.01,
}
JUNK = 4  # pictures that are no photos, a step


@dataclass
class Plan:
    minutes: float
    batch: int = 128
    rate: float = 8e-4
    naming: float = 0.12  # part of the time in which only names are learnt
    seed: int = 0
    start: Path | None = None  # weights of an earlier run to go on from; names are then learnt with the rest


class Deck:
    """Deals training photos by source, each source without replacement until it is used up."""

    def __init__(self, facts: list[Facts], shares: dict[str, float], rng: np.random.Generator, usable):
        self.rng = rng
        pools: dict[str, list[int]] = {}
        for i, f in enumerate(facts):
            if f.split == "train" and usable(f):
                pools.setdefault(f.source, []).append(i)
        self.pools = {s: np.array(v) for s, v in pools.items()}
        self.sources = list(self.pools)
        p = np.array([shares[s] for s in self.sources])
        self.p = p / p.sum()
        self.left = {s: np.array([], dtype=np.int64) for s in self.sources}

    def deal(self, n: int) -> np.ndarray:
        out = []
        for source, count in zip(self.sources, self.rng.multinomial(n, self.p)):
            while count > 0:
                if len(self.left[source]) == 0:
                    self.left[source] = self.rng.permutation(self.pools[source])
                take, self.left[source] = self.left[source][:count], self.left[source][count:]
                out.append(take)
                count -= len(take)
        return np.concatenate(out)


@dataclass
class Naming:
    """What the label head may call things: label names, then the nouns of human captions; and what each photo is called."""

    names: list[str]
    says: list[str]
    shares: list[dict[int, float]]  # of each photo, adding up to 1; empty where nothing is known

    def goal(self, photos: np.ndarray) -> torch.Tensor:
        """float32 (B,N)."""
        out = torch.zeros(len(photos), len(self.names))
        for b, photo in enumerate(photos):
            for name, share in self.shares[photo].items():
                out[b, name] = share
        return out


ROOM_THINGS = 0.35  # of a room's name goes to the furniture that is known to be there


def naming(facts: list[Facts]) -> Naming:
    ids: dict[str, int] = {}
    says: dict[str, str] = {}
    for f in facts:
        if f.label:
            ids.setdefault(f.label, len(ids))
            says[f.label] = f.say
    for noun in sorted(CAPTION_NOUNS):
        ids.setdefault(noun, len(ids))
        says.setdefault(noun, noun)
    shares: list[dict[int, float]] = []
    for f in facts:
        things = [ids[t] for t in (f.inside or f.objects or f.nouns) if t in ids]
        if f.label and (f.inside and things):
            shares.append({ids[f.label]: 1 - ROOM_THINGS, **{t: ROOM_THINGS / len(things) for t in things}})
        elif f.label:
            shares.append({ids[f.label]: 1.0})
        else:
            shares.append({t: 1 / len(things) for t in things})
    return Naming(list(ids), [says[n] for n in ids], shares)


def start_from_starter(sight: Sight, known: Naming, starter: Path) -> None:
    """The label head becomes the starter's zero-shot classifier over the names."""
    pack = Pack(starter)
    bank = (pack.texts(known.names, ["{}", "a photo of a {}"]) + pack.texts(known.says, ["{}", "a photo of a {}"])) / 2
    with torch.no_grad():
        sight.zero_shot.weight.copy_(torch.from_numpy(bank) * 20)
        sight.zero_shot.bias.zero_()
        sight.names.weight.copy_(torch.from_numpy(bank))


def go_on(model: torch.nn.Module, known: Naming, path: Path) -> dict:
    """Loads an earlier run's weights, those of its names to where the names are now; returns what it says of itself."""
    before = torch.load(path, weights_only=True)
    at = torch.tensor([known.names.index(name) for name in before["labels"]])
    state = model.state_dict()
    for key, value in before["model"].items():
        if state[key].shape == value.shape:
            state[key] = value.to(state[key].dtype)
        else:
            state[key][at] = value.to(state[key].dtype)
    new = torch.ones(len(known.names), dtype=torch.bool)
    new[at] = False
    state["sight.zero_shot.bias"][new] = -4.0  # a name never trained on starts out unlikely
    model.load_state_dict(state)
    return before["run"] if "run" in before else {k: before[k] for k in ("photos", "questions", "steps") if k in before}


class Average:
    """Running average of a model's weights, its memory growing with the steps taken."""

    def __init__(self, model: torch.nn.Module, decay: float = 0.998):
        self.model, self.decay, self.steps = model, decay, 0
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    def update(self) -> None:
        self.steps += 1
        d = min(self.decay, self.steps / (self.steps + 10))
        with torch.no_grad():
            for k, v in self.model.state_dict().items():
                self.state[k].lerp_(v, 1 - d) if v.dtype.is_floating_point else self.state[k].copy_(v)


def schedule(model: torch.nn.Module, rate: float, decay: float = 0.05) -> torch.optim.Optimizer:
    thin = [p for p in model.parameters() if p.ndim < 2]
    thick = [p for p in model.parameters() if p.ndim >= 2]
    return torch.optim.AdamW([{"params": thick, "weight_decay": decay}, {"params": thin, "weight_decay": 0.0}], lr=rate, betas=(0.9, 0.98))


def rate_at(part: float, steps: int, rate: float) -> float:
    """Learning rate by the clock (part of the time, 0 to 1): warm-up over 200 steps, cosine down to a hundredth."""
    return rate * min(1.0, (steps + 1) / 200) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(part, 1.0))))


def encode(texts: list[str], encoder: Encoder) -> tuple[torch.Tensor, torch.Tensor]:
    """Decoder inputs (B,T) and targets (B,T), -100 where there is none."""
    rows = [encoder.tok.encode(t).ids[: PLACES - 1] if t else [] for t in texts]
    length = -(-(max(map(len, rows)) - 1) // 4) * 4  # few different shapes: see answer_fit.padded
    ids, goal = np.zeros((len(rows), length), np.int64), np.full((len(rows), length), -100, np.int64)
    for k, r in enumerate(rows):
        if r:
            ids[k, : len(r) - 1], goal[k, : len(r) - 1] = r[:-1], r[1:]
    return torch.from_numpy(ids), torch.from_numpy(goal)


def name_loss(logits: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
    smooth = 0.95 * goal + 0.05 * goal.sum(1, keepdim=True) / goal.shape[1]
    return -(smooth * torch.log_softmax(logits.float(), -1)).sum() / goal.sum().clamp(min=1)


def learn_names(sight: Sight, facts: list[Facts], views: Views, known: Naming, minutes: float, rng: np.random.Generator, log) -> None:
    deck = Deck(facts, SHARES, rng, lambda f: bool(f.label or f.objects or f.nouns))
    optimiser, began, steps = schedule(sight, 1e-3), time.monotonic(), 0
    while (part := (time.monotonic() - began) / 60 / minutes) < 1:
        pick = deck.deal(256)
        patches, pixels, _ = views.pick(pick, rng)
        mix, other = float(rng.beta(0.3, 0.3)), rng.permutation(len(pick))
        with torch.autocast("cpu", torch.bfloat16):
            _, logits = sight(mix * patches + (1 - mix) * patches[other], mix * pixels + (1 - mix) * pixels[other])
        goal = known.goal(pick)
        loss = name_loss(logits, mix * goal + (1 - mix) * goal[other])
        for group in optimiser.param_groups:
            group["lr"] = rate_at(part, steps, 1e-3)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        steps += 1
        if steps % 100 == 0:
            log({"naming": steps, "part": round(part, 3), "loss": round(loss.item(), 3)})


def totals(before: dict, **now: float) -> dict:
    return {key: value + before.get(key, 0) for key, value in now.items()}


def fit_captioner(facts: list[Facts], views: Views, encoder: Encoder, starter: Path, plan: Plan, work: Path, check=None) -> Captioner:
    """Returns the averaged captioner; writes log.jsonl and caption.pt in work."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    known = naming(facts)
    model = Captioner(encoder.size, len(known.names))
    start_from_starter(model.sight, known, starter)
    began = time.monotonic()
    work.mkdir(parents=True, exist_ok=True)

    def log(entry: dict) -> None:
        line = json.dumps({"minutes": round((time.monotonic() - began) / 60, 2), **entry})
        print(line, flush=True)
        with open(work / "caption.jsonl", "a") as sink:
            sink.write(line + "\n")

    before = go_on(model, known, plan.start) if plan.start else {}
    share = 0 if plan.start else plan.naming
    if share:
        learn_names(model.sight, facts, views, known, plan.minutes * share, rng, log)
    if check:
        log({"names": check(model, known)})
    junk_patches, junk_pixels = training_junk(starter)
    deck = Deck(facts, SHARES, rng, lambda f: bool(f.human or f.objects or f.label or f.nouns))
    optimiser, average = schedule(model, plan.rate), Average(model)
    start, total, steps, shown = time.monotonic(), plan.minutes * (1 - share) * 60, 0, 0
    model.train()
    while (part := (time.monotonic() - start) / total) < 1:
        pick = deck.deal(plan.batch)
        patches, pixels, small = views.pick(pick, rng)
        texts = [caption(facts[i], look(rgb), rng) for i, rgb in zip(pick, small)]
        chosen = rng.integers(0, len(junk_patches), JUNK)  # with sentences of other photos, each word of which is to be unlikely
        patches, pixels = torch.cat([patches, junk_patches[chosen]]), torch.cat([pixels, junk_pixels[chosen]])
        inputs, goal = encode([*texts, *texts[:JUNK]], encoder)
        with torch.autocast("cpu", torch.bfloat16):
            cross, names = model.see(patches, pixels)
            logits, _ = model.decoder(inputs, [p.to(cross[0].dtype) for p in model.decoder.no_past(len(patches))], cross)
        words = F.cross_entropy(logits[:-JUNK].float().flatten(0, 1), goal[:-JUNK].flatten(), ignore_index=-100, label_smoothing=0.05)
        unknown = -torch.log_softmax(logits[-JUNK:].float(), -1).mean(-1)[goal[-JUNK:] >= 0].mean()
        loss = words + 0.3 * name_loss(names[:-JUNK], known.goal(pick)) + 0.03 * unknown
        for group in optimiser.param_groups:
            group["lr"] = rate_at(part, steps, plan.rate)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update()
        steps, shown = steps + 1, shown + len(pick)
        if steps % 100 == 0:
            speed = shown / (time.monotonic() - start)
            log(
                {
                    "steps": steps,
                    "part": round(part, 3),
                    "words": round(words.item(), 3),
                    "loss": round(loss.item(), 3),
                    "photos/s": round(speed),
                }
            )
    model.load_state_dict(average.state)
    model.eval()
    log({"steps": steps, "photos": shown})
    torch.save(
        {
            "model": {k: v.half() for k, v in model.state_dict().items()},
            "labels": known.names,
            "run": totals(before, photos=shown, steps=steps, minutes=plan.minutes),
        },
        work / "caption.pt",
    )
    return model
