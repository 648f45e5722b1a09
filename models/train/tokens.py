"""Trains and runs the word-piece tokenizer; the same tokenizer.json is what the app loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

MAX_LENGTH = 24


def train_tokenizer(lines: list[str], path: Path, size: int = 4096) -> None:
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=40))
    tok.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=True)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    alphabet = list("abcdefghijklmnopqrstuvwxyz0123456789")
    tok.train_from_iterator(
        lines, trainers.WordPieceTrainer(vocab_size=size, special_tokens=special, initial_alphabet=alphabet, min_frequency=2)
    )
    ids = {t: tok.token_to_id(t) for t in special}
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    tok.save(str(path))


class Encoder:
    """Texts -> (ids int64 (n,L), mask int64 (n,L)), L the longest of the batch, at most MAX_LENGTH."""

    def __init__(self, path: Path):
        self.tok = Tokenizer.from_file(str(path))
        self.end = self.tok.token_to_id("[SEP]")
        self.size = self.tok.get_vocab_size()
        self.cache: dict[str, list[int]] = {}

    def ids(self, text: str) -> list[int]:
        found = self.cache.get(text)
        if found is None:
            found = self.tok.encode(text).ids
            if len(found) > MAX_LENGTH:
                found = found[: MAX_LENGTH - 1] + [self.end]
            if len(self.cache) < 400_000:
                self.cache[text] = found
        return found

    def __call__(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        rows = [self.ids(t) for t in texts]
        length = max(map(len, rows))
        ids = np.zeros((len(rows), length), dtype=np.int64)
        mask = np.zeros((len(rows), length), dtype=np.int64)
        for k, r in enumerate(rows):
            ids[k, : len(r)] = r
            mask[k, : len(r)] = 1
        return torch.from_numpy(ids), torch.from_numpy(mask)
