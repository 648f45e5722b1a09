"""The steps caption, answer, evaluate-caption and evaluate-answer of the command line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from .tokens import Encoder


def gathered(args: argparse.Namespace):
    """(facts of all photos, views of them), made when missing."""
    from .concepts import Concepts
    from .facts import gather
    from .photos import prepare
    from .views import prepare_views
    from .wordnet import WordNet

    photos = prepare(args.data, args.cache)
    return gather(photos.rows, Concepts(WordNet(args.wordnet)), args.data), prepare_views(photos, args.starter, args.views)


def plan(args: argparse.Namespace, blind: bool = False, batch: int = 128):
    """As long as asked, from --init's weights where given; the blind one a quarter as long, since it has no photo to learn to look at."""
    from .caption_fit import Plan

    if blind:
        return Plan(minutes=args.minutes / 4, batch=batch)
    return Plan(minutes=args.minutes, batch=batch, rate=6e-4 if args.init else 8e-4, start=args.init)


def caption(args: argparse.Namespace) -> dict:
    """Trains unless --work has caption.pt, then writes and measures the pack."""
    from .caption_fit import fit_captioner
    from .speech import Captioner
    from .speech_pack import caption_pack

    encoder, kept = Encoder(args.starter / "tokenizer.json"), args.work / "caption.pt"
    if not kept.exists():
        facts, views = gathered(args)
        fit_captioner(facts, views, encoder, args.starter, plan(args), args.work)
    weights = torch.load(kept, weights_only=True)
    model = Captioner(encoder.size, len(weights["labels"]))
    model.load_state_dict({k: v.float() if v.dtype.is_floating_point else v for k, v in weights["model"].items()})
    return caption_pack(
        model.eval(), args.out, args.starter, args.version, lambda folder: evaluate_caption(args, folder), weights.get("run", {})
    )


def answer(args: argparse.Namespace) -> dict:
    """Trains unless --work has answer.pt (and a blind one beside it, for comparison), then writes and measures the pack."""
    from .answer_fit import fit_answerer
    from .speech_pack import answer_pack

    encoder = Encoder(args.starter / "tokenizer.json")
    for blind in (False, True):
        if not (args.work / ("blind.pt" if blind else "answer.pt")).exists():
            facts, views = gathered(args)
            fit_answerer(facts, views, encoder, args.starter, plan(args, blind, batch=64), args.work, blind)
    model, weights = answerer(args.work / "answer.pt", encoder)
    return answer_pack(
        model,
        weights["answers"],
        args.out,
        args.starter,
        args.version,
        lambda folder: evaluate_answer(args, folder),
        weights.get("run", {}),
    )


def answerer(path: Path, encoder: Encoder):
    from .speech import Answerer

    weights = torch.load(path, weights_only=True)
    model = Answerer(encoder.size, len(weights["labels"]), len(weights["answers"]))
    model.load_state_dict({k: v.float() if v.dtype.is_floating_point else v for k, v in weights["model"].items()})
    return model.eval(), weights


def evaluate_caption(args: argparse.Namespace, folder: Path) -> dict:
    from .caption_evaluate import evaluate_captioner

    return evaluate_captioner(folder, args.data, args.starter, args.wordnet)


def evaluate_answer(args: argparse.Namespace, folder: Path) -> dict:
    """The blind model's figures are added where --work has one."""
    from .answer_evaluate import evaluate_answerer

    encoder, blind = Encoder(args.starter / "tokenizer.json"), None
    if (args.work / "blind.pt").exists():
        model, weights = answerer(args.work / "blind.pt", encoder)

        @torch.no_grad()
        def blind(questions: list[str]) -> list[str]:
            cross, _ = model.see(torch.zeros(1, 36, 256), torch.zeros(1, 3, 24, 24))
            return [weights["answers"][int(model.reply(*encoder([q]), cross).argmax())] for q in questions]

    figures = evaluate_answerer(folder, args.data, args.starter, args.wordnet, blind)
    return {**figures, "blind trained on": weights["run"]["questions"]} if blind else figures


STEPS = {
    "caption": caption,
    "answer": answer,
    "evaluate-caption": lambda args: evaluate_caption(args, args.out),
    "evaluate-answer": lambda args: evaluate_answer(args, args.out),
}


def run(args: argparse.Namespace) -> None:
    print(json.dumps(STEPS[args.step](args), indent=1, ensure_ascii=False))
