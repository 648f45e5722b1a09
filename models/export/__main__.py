"""Makes model packs from checkpoints, and tiny random checkpoints to test with. See README.md."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

RECIPES = ("blip-caption", "blip-vqa", "vilt")
TINY = (*RECIPES, "vit-gpt2", "florence2", "smolvlm")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.export", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    for recipe in RECIPES:
        step = steps.add_parser(recipe, help=f"a {recipe} pack from a Hugging Face checkpoint folder")
        step.add_argument("checkpoint", type=Path, help="folder with config.json, weights, tokenizer.json, preprocessor_config.json")
        step.add_argument("out", type=Path, help="the pack's folder, new; its name becomes the pack's id")
        step.add_argument("--name", help="shown in the app")
        step.add_argument("--fp16", action="store_true", help="store weights in half precision (half the size, computed in float32)")
        step.add_argument("--published", action="store_true", help="the weights are those their authors published: record their figures")
        step.add_argument("--detailed", action="store_true", help="also write golden.json, the reference's tokens and logits, for tests")
    step = steps.add_parser("tiny", help="a small random checkpoint of a true architecture")
    step.add_argument("family", choices=TINY)
    step.add_argument("out", type=Path, help="the checkpoint's folder, new")
    args = parser.parse_args()
    if args.out.exists() and any(args.out.iterdir()):
        raise SystemExit(f"{args.out} is not empty. Name a new folder.")
    if args.step == "tiny":
        make_tiny(args.family, args.out)
        return
    convert(args)


def make_tiny(family: str, out: Path) -> None:
    from . import hub_tiny, tiny

    {**tiny.MAKERS, **hub_tiny.MAKERS}[family](out)


def convert(args: argparse.Namespace) -> None:
    from . import blip, vilt

    recipe = {"blip-caption": blip.caption, "blip-vqa": blip.answer, "vilt": vilt.answer}[args.step]
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        checks = recipe(args.checkpoint, args.out, args.fp16, args.published, args.name, args.detailed)
    except BaseException:
        shutil.rmtree(args.out)  # half a pack must not be taken for one
        raise
    for line in [*checks.done, *(f"DIFFERS {line}" for line in checks.failed)]:
        print(line)
    if checks.failed:
        shutil.rmtree(args.out)
        sys.exit(f"The export differs from the PyTorch model in {len(checks.failed)} checks; no pack was written.")
    print(f"{args.out}: largest difference of a logit {checks.largest:.1e}")


if __name__ == "__main__":
    main()
