"""The figures of the val split during training, from a torch model and the decoded cache."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from .captions import EVAL_TEMPLATES, Captioner, fill
from .photos import Photos, normalise
from .tokens import Encoder
from .towers import Clip


@torch.no_grad()
def measure(model: Clip, photos: Photos, captioner: Captioner, encoder: Encoder, size: int) -> dict[str, float]:
    """Top-1 among each source's own labels, and R@10 of coco_captions; keys are source names."""
    model.eval()
    val = np.array([i for i, r in enumerate(photos.rows) if r.get("split") == "val"])
    embeds = []
    for k in range(0, len(val), 128):
        x = normalise(photos.batch(val[k : k + 128], size, None))
        with torch.autocast("cpu", torch.bfloat16):
            embeds.append(model.image.embed(x).float())
    image = F.normalize(torch.cat(embeds), dim=1)
    bank = label_bank(model, captioner, encoder)
    out: dict[str, float] = {}
    sources = np.array([photos.rows[i]["source"] for i in val])
    for source, members in captioner.source_labels.items():
        pick = np.flatnonzero((sources == source) & (captioner.label[val] >= 0))
        if len(pick) == 0:
            continue
        best = (image[pick] @ bank[members].T).argmax(1).numpy()
        out[source] = float((np.array(members)[best] == captioner.label[val][pick]).mean())
    pick = np.flatnonzero(sources == "coco_captions")
    texts = [photos.rows[i]["captions"][0] for i in val[pick]]
    text = F.normalize(model.text(*encoder(texts)).float(), dim=1)
    rank = (text @ image[pick].T).argsort(1, descending=True)
    out["coco_r10"] = float((rank[:, :10] == torch.arange(len(pick))[:, None]).any(1).float().mean())
    return {k: round(v, 4) for k, v in out.items()}


@torch.no_grad()
def label_bank(model: Clip, captioner: Captioner, encoder: Encoder) -> torch.Tensor:
    """Unit embeddings (Labels,D) of all label names, averaged over EVAL_TEMPLATES."""
    total = 0
    for template in EVAL_TEMPLATES:
        texts = [fill(template, label.lower()) for label in captioner.labels]
        total = total + F.normalize(model.text(*encoder(texts)).float(), dim=1)
    return F.normalize(total, dim=1)
