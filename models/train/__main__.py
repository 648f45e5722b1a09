"""Trains the packs that ship: the starter (prepare, train, export, evaluate, generic), the captioner and the answerer. See README.md."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

HERE = Path("models/starter")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    parser.add_argument(
        "step",
        nargs="?",
        default="all",
        choices=["all", "export", "evaluate", "generic", "caption", "answer", "evaluate-caption", "evaluate-answer"],
        help="all: prepare, train, export, evaluate (default); export: write --out from --work's weights; evaluate: measure the pack in --out; generic: write its generic set; "
        "caption, answer: train and write the captioner or the answerer on --starter's tower; evaluate-caption, evaluate-answer: measure theirs",
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/starter"), help="the tars, index.jsonl and sources.json")
    parser.add_argument("--out", type=Path, default=HERE, help="the pack folder")
    parser.add_argument(
        "--work", type=Path, default=Path("/var/tmp/afterimage-train/run1"), help="checkpoints, log and tokenizer of this run"
    )
    parser.add_argument("--cache", type=Path, default=Path("/tmp/afterimage-cache"), help="decoded photos, 1.5 GB, made when missing")
    parser.add_argument("--starter", type=Path, default=HERE, help="captioner and answerer: the pack whose image tower they share")
    parser.add_argument(
        "--views",
        type=Path,
        default=Path("/var/tmp/afterimage-train/views"),
        help="captioner and answerer: what the tower sees, 5 GB, made when missing",
    )
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--minutes", type=float, default=104, help="wall-clock of the training alone")
    parser.add_argument("--batch", type=int, default=128, help="photos a step and worker")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate; 5e-4 is about right with --init")
    parser.add_argument("--sizes", default="0:64,0.85:96", help="from this part of the time on: this side in px")
    parser.add_argument("--workers", type=int, default=2, help="training processes of one thread each")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --work, its clock included")
    parser.add_argument(
        "--init",
        type=Path,
        help="start from a pack folder (its ONNX weights) or from an average.pt beside its tokenizer.json; caption, answer: from an earlier caption.pt or answer.pt",
    )
    parser.add_argument("--size", type=int, default=96, help="side in px that the exported pack takes")
    parser.add_argument("--last", action="store_true", help="export the last weights (state.pt) and not their running average")
    parser.add_argument("--version", default="0.1.0")
    args = parser.parse_args()
    if args.step in ("caption", "answer", "evaluate-caption", "evaluate-answer"):
        from .speech_steps import run

        run(args)
        return
    if args.step == "evaluate":
        from .evaluate import evaluate

        json.dump(evaluate(args.out, args.data), sys.stdout, indent=1)
        print()
        return
    if args.step == "all":
        train(args)
    if args.step != "generic":
        print(json.dumps(export(args), indent=1))
    from .generic import write_generic

    print(json.dumps(write_generic(args.out, args.data, args.cache), indent=1))


def train(args: argparse.Namespace) -> None:
    from .captions import Captioner
    from .concepts import Concepts
    from .fit import Plan, fit
    from .init import initial, vocabulary_of
    from .photos import prepare
    from .tokens import Encoder, train_tokenizer
    from .wordnet import WordNet

    photos = prepare(args.data, args.cache)
    captioner = Captioner(photos, Concepts(WordNet(args.wordnet)))
    args.work.mkdir(parents=True, exist_ok=True)
    vocabulary = args.work / "tokenizer.json"
    if args.init and not vocabulary.exists():
        vocabulary.write_bytes(vocabulary_of(args.init).read_bytes())  # the text weights mean this vocabulary
    if not vocabulary.exists():
        train_tokenizer(captioner.corpus(photos), vocabulary)
    encoder = Encoder(vocabulary)
    print(
        len(captioner.labels),
        "labels",
        len(captioner.phrases),
        "phrases",
        len(captioner.kinds),
        "kinds",
        encoder.size,
        "tokens",
        flush=True,
    )
    sizes = tuple((float(part), int(px)) for part, px in (s.split(":") for s in args.sizes.split(",")))
    plan = Plan(minutes=args.minutes, batch=args.batch, rate=args.rate, workers=args.workers, sizes=sizes)
    fit(photos, captioner, encoder, plan, args.work, args.resume, initial(args.init, photos, encoder.size) if args.init else None)


def export(args: argparse.Namespace) -> dict:
    import torch

    from .pack import write_pack
    from .tokens import Encoder
    from .towers import Clip

    model = Clip(Encoder(args.work / "tokenizer.json").size)
    weights = torch.load(args.work / ("state.pt" if args.last else "average.pt"), weights_only=True)
    weights = weights["model"] if args.last else weights
    model.load_state_dict({k: v.float() if v.dtype.is_floating_point else v for k, v in weights.items()})
    return write_pack(model.eval(), args.work / "tokenizer.json", args.out, args.data, args.size, args.version, args.work / "log.jsonl")


if __name__ == "__main__":
    main()
