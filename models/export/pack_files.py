"""The files of a pack beside its graphs: pack.json with checksums, tokenizer, preprocessing, licence."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Where a checkpoint's card names no licence, that of the weights as their authors published them.
LICENCES = {
    "bsd-3-clause": ("BSD-3-Clause", "BSD 3-Clause License", "https://github.com/salesforce/BLIP/blob/main/LICENSE.txt"),
    "apache-2.0": ("Apache-2.0", "Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    "mit": ("MIT", "MIT License", "https://opensource.org/license/mit"),
}
PREPROCESSING = (
    "do_resize",
    "size",
    "resample",
    "size_divisor",
    "do_rescale",
    "rescale_factor",
    "do_normalize",
    "image_mean",
    "image_std",
    "do_pad",
)


@dataclass(frozen=True)
class Recipe:
    """What is the same for every pack of a family."""

    family: str
    tasks: tuple[str, ...]
    licence: str
    description: str
    quality: tuple[dict[str, Any], ...]


def put_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def licence_of(checkpoint: Path, usual: str) -> dict[str, str]:
    """From the front matter of the checkpoint's README.md; else the usual one of this family, and says so."""
    card = checkpoint / "README.md"
    found = re.search(r"^license:\s*\[?\s*([\w.+-]+)", card.read_text("utf-8"), re.M) if card.exists() else None
    key = found[1].lower() if found else usual
    known = LICENCES.get(key)
    if known is None:
        return {"id": key, "name": key, "note": "As the checkpoint's card states it."}
    note = "As the checkpoint's card states it." if found else "The checkpoint states none; this is its authors' licence."
    return {"id": known[0], "name": known[1], "url": known[2], "note": note}


def copy_texts(checkpoint: Path, out: Path, processor: Any, name: str) -> None:
    """tokenizer.json, config.json, licence text and a preprocessor_config.json of the fields that decide pixels."""
    tokenizer = checkpoint / "tokenizer.json"
    if not tokenizer.exists():
        raise SystemExit(f"{checkpoint} has no tokenizer.json. Load its tokenizer with transformers and save it there first.")
    for file in ("tokenizer.json", "tokenizer_config.json", "config.json", "LICENSE", "LICENSE.txt"):
        if (checkpoint / file).exists():
            shutil.copyfile(checkpoint / file, out / file)
    fields = processor.to_dict()
    kept = {key: plain(fields[key]) for key in PREPROCESSING if fields.get(key) is not None}
    put_json(out / "preprocessor_config.json", {"image_processor_type": name, **kept})


def plain(value: Any) -> Any:
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)  # transformers' resampling numbers are enums
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items() if item is not None}
    return value


def digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def weights_digest(checkpoint: Path) -> dict[str, str]:
    files = [*sorted(checkpoint.glob("*.safetensors")), *sorted(checkpoint.glob("*.bin"))]
    return {file.name: digest(file) for file in files}


def write_pack(out: Path, checkpoint: Path, recipe: Recipe, name: str, half: bool, published: bool, more: dict[str, Any]) -> None:
    """Writes pack.json over what lies in `out`; golden.json, which only tests read, is not part of the pack."""
    files = [file for file in sorted(out.rglob("*")) if file.is_file() and file.name not in ("pack.json", "golden.json")]
    put_json(
        out / "pack.json",
        {
            "schema": 1,
            "id": re.sub(r"[^a-z0-9._-]+", "-", out.name.lower()),
            "name": name,
            "version": "1",
            "tasks": list(recipe.tasks),
            "family": recipe.family,
            "licence": licence_of(checkpoint, recipe.licence),
            "source": {
                "kind": "export",
                "name": checkpoint.name,
                "recipe": f"models/export {recipe.family}",
                "weights": weights_digest(checkpoint),
                "storage": "float16" if half else "float32",
            },
            "description": recipe.description,
            **({"quality": list(recipe.quality)} if published else {}),
            **more,
            "files": {
                file.relative_to(out).as_posix(): {"bytes": file.stat().st_size, "sha256": digest(file)} for file in files
            },
        },
    )
