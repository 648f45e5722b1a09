"""Trains the answerer: some photos a step, several questions each, and now and then a picture about which nothing can be said."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import torch

from .answers import answer_list, daquar_answers
from .caption_fit import Average, Deck, Plan, go_on, learn_names, name_loss, naming, rate_at, schedule, start_from_starter, totals
from .facts import Facts
from .init import weights
from .junk import training_junk
from .look import look
from .questions import Asker
from .speech import Answerer
from .tokens import Encoder
from .views import Views
from .wordings import vary

SHARES = {
    "tiny_imagenet": 0.28,
    "daquar_rooms": 0.17,
    "coco_captions": 0.12,
    "caltech101": 0.08,
    "voc_vehicles": 0.06,
    "sports15": 0.05,
    "intel_scenes": 0.05,
    "weather5": 0.04,
    "pacs_photo": 0.035,
    "coco128": 0.03,
    "grocery81": 0.03,
    "viic_sports": 0.025,
    "scene15_grey": 0.02,
    "clothing10": 0.02,
    "flowers5": 0.02,
}
QUESTIONS = 4  # a photo and step
JUNK = 5  # pictures a step


def read_starter(model: Answerer, starter: Path) -> None:
    """The question's reader begins as the starter's text tower."""
    text = weights(starter / "onnx/text_model.onnx")
    with torch.no_grad():
        model.tokens.weight.copy_(text["tokens.weight"])
        model.places.weight.copy_(text["places.weight"])
    for k, layer in enumerate(model.read):
        layer.load_state_dict({name: text[f"layers.{k}.{name}"] for name in layer.state_dict()})


def worded(question: str, rng: np.random.Generator) -> str:
    """The question as someone may type it: with words around it, other words for the same, one word missing; never a wording of testing."""
    said = vary(question, rng) if rng.random() < 0.5 else question
    return said + "?" if rng.random() < 0.5 else said


def questions_for(
    facts: Facts, rgb: np.ndarray, asker: Asker, rng: np.random.Generator, count: int = QUESTIONS
) -> list[tuple[str, list[str]]]:
    out = []
    seen = look(rgb)
    for _ in range(count):
        if facts.qa and rng.random() < 0.85:
            question, answer = facts.qa[int(rng.integers(len(facts.qa)))]
            out.append((worded(question, rng), daquar_answers(answer)))
        elif asked := asker.ask(facts, seen, rng):
            out.append((worded(asked.question, rng), asked.answers))
    return out


def padded(ids: torch.Tensor, mask: torch.Tensor, step: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Longer by up to three places: with ever new shapes an allocator that keeps its pages takes 20 GB in ten minutes."""
    more = -ids.shape[1] % step
    return torch.nn.functional.pad(ids, (0, more)), torch.nn.functional.pad(mask, (0, more))


def soft_targets(wanted: list[list[str]], index: dict[str, int]) -> torch.Tensor:
    """(n,A) probabilities: shared among the true answers; uniform where no one could know; zero (no loss) where none is in the list."""
    out = torch.zeros(len(wanted), len(index))
    for k, answers in enumerate(wanted):
        known = [index[a] for a in answers if a in index]
        if not answers:
            out[k] = 1 / len(index)
        for a in known:
            out[k, a] = 1 / len(known)
    return out


def fit_answerer(
    facts: list[Facts], views: Views, encoder: Encoder, starter: Path, plan: Plan, work: Path, blind: bool = False
) -> Answerer:
    """Returns the averaged answerer; writes its log and weights in work; blind: it sees nothing, to know what questions alone give away."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    known = naming(facts)
    answers = answer_list(facts)
    index = {a: k for k, a in enumerate(answers)}
    model = Answerer(encoder.size, len(known.names), len(answers))
    start_from_starter(model.sight, known, starter)
    read_starter(model, starter)
    asker = Asker(facts)
    junk_patches, junk_pixels = training_junk(starter)
    began = time.monotonic()
    work.mkdir(parents=True, exist_ok=True)
    name = "blind" if blind else "answer"

    def log(entry: dict) -> None:
        line = json.dumps({"minutes": round((time.monotonic() - began) / 60, 2), **entry})
        print(line, flush=True)
        with open(work / f"{name}.jsonl", "a") as sink:
            sink.write(line + "\n")

    before = go_on(model, known, plan.start) if plan.start else {}
    share = 0 if blind or plan.start else plan.naming
    if share:
        learn_names(model.sight, facts, views, known, plan.minutes * share, rng, log)
    deck = Deck(facts, SHARES, rng, lambda f: True)
    optimiser, average = schedule(model, plan.rate), Average(model)
    start, total, steps, shown = time.monotonic(), plan.minutes * (1 - share) * 60, 0, 0
    model.train()
    while (part := (time.monotonic() - start) / total) < 1:
        pick = deck.deal(plan.batch)
        patches, pixels, small = views.pick(pick, rng)
        texts, wanted, of = [], [], []
        for b, (i, rgb) in enumerate(zip(pick, small)):
            for question, true in questions_for(facts[i], rgb, asker, rng):
                texts.append(question), wanted.append(true), of.append(b)
        chosen = rng.integers(0, len(junk_patches), JUNK)
        borrowed = rng.integers(0, len(texts), 3 * JUNK)
        for k, b in enumerate(borrowed):
            texts.append(texts[b]), wanted.append([]), of.append(len(pick) + k // 3)
        patches, pixels = torch.cat([patches, junk_patches[chosen]]), torch.cat([pixels, junk_pixels[chosen]])
        if blind:
            patches, pixels = torch.zeros_like(patches), torch.zeros_like(pixels)
        some = rng.choice(len(texts), 3 * plan.batch + 3 * JUNK, replace=len(texts) < 3 * plan.batch + 3 * JUNK)
        texts, wanted, of = [texts[k] for k in some], [wanted[k] for k in some], [of[k] for k in some]
        order = np.argsort([len(encoder.ids(t)) for t in texts], kind="stable")
        parts = np.split(order, [int(0.6 * len(order))])  # short and long ones apart: less padding
        goal, owner = soft_targets([wanted[k] for k in order], index), torch.tensor(of)
        with torch.autocast("cpu", torch.bfloat16):
            cross, names = model.see(patches, pixels)
            logits = torch.cat(
                [model.reply(*padded(*encoder([texts[k] for k in part])), [c[owner[part]] for c in cross]) for part in parts]
            )
        words = -(0.97 * goal + 0.03 * goal.sum(1, keepdim=True) / len(answers)) * torch.log_softmax(logits.float(), -1)
        words = words.sum() / goal.sum()
        loss = words if blind else words + 0.2 * name_loss(names[: len(pick)], known.goal(pick))
        for group in optimiser.param_groups:
            group["lr"] = rate_at(part, steps, plan.rate)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update()
        steps, shown = steps + 1, shown + len(texts)
        if steps % 100 == 0:
            speed = shown / (time.monotonic() - start)
            log(
                {
                    "steps": steps,
                    "part": round(part, 3),
                    "answers": round(words.item(), 3),
                    "loss": round(loss.item(), 3),
                    "questions/s": round(speed),
                }
            )
    model.load_state_dict(average.state)
    model.eval()
    log({"steps": steps, "questions": shown})
    torch.save(
        {
            "model": {k: v.half() for k, v in model.state_dict().items()},
            "labels": known.names,
            "answers": answers,
            "run": totals(before, questions=shown, steps=steps, minutes=plan.minutes),
        },
        work / f"{name}.pt",
    )
    return model
