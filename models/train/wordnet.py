"""Reads WordNet 3.0's noun files (Debian: wordnet-base): lemmas, senses and hypernym chains."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

DEFAULT_DIR = Path("/usr/share/wordnet")

# Synsets so general that no one searches for them; a hypernym chain stops at the first.
ABSTRACT = set(
    """
abstraction, act, aggregation, area, article, artifact, attribute, barrier, being, body, causal agency, causal agent,
chordate, cognition, collection, commodity, communication, construction, consumer goods, content, conveyance, covering,
craniate, creation, device, entity, equipment, eutherian, eutherian mammal, event, formation, geological formation,
group, happening, implement, individual, instrumentality, instrumentation, invertebrate, line, living thing, location,
matter, measure, mechanism, mortal, natural depression, natural object, object, obstruction, opening, organism, part,
passage, physical entity, physical object, piece, placental, protective covering, psychological feature, region,
relation, restraint, shape, solid, somebody, someone, soul, state, structure, substance, support, surface, thing, unit,
vertebrate, way, whole
""".replace("\n", " ")
    .strip()
    .split(", ")
)


class WordNet:
    def __init__(self, folder: Path = DEFAULT_DIR):
        self.data = (folder / "data.noun").read_bytes()
        self.index: dict[str, list[int]] = {}
        for line in (folder / "index.noun").read_text().splitlines():
            if line.startswith(" "):
                continue
            parts = line.split()
            senses = int(parts[2])
            self.index[parts[0]] = [int(offset) for offset in parts[-senses:]]

    @cache
    def synset(self, offset: int) -> tuple[tuple[str, ...], tuple[int, ...], str]:
        """Lemmas (spaces, own case), hypernym offsets and gloss of the synset at a byte offset."""
        line = self.data[offset : self.data.index(b"\n", offset)].decode()
        head, _, gloss = line.partition("|")
        parts = head.split()
        count = int(parts[3], 16)
        lemmas = tuple(parts[4 + 2 * i].replace("_", " ") for i in range(count))
        rest = parts[4 + 2 * count :]
        hypernyms = tuple(int(rest[1 + 4 * i + 1]) for i in range(int(rest[0])) if rest[1 + 4 * i] in ("@", "@i"))
        return lemmas, hypernyms, gloss.strip()

    def first_sense(self, word: str, sense: int = 1) -> int | None:
        offsets = self.index.get(word.lower().replace(" ", "_"))
        return offsets[sense - 1] if offsets and len(offsets) >= sense else None

    def names(self, offset: int) -> list[str]:
        """Lower-case lemmas of a synset that a person would type: no Latin binomials."""
        lemmas = self.synset(offset)[0]
        kept = [lemma for lemma in lemmas if not re.fullmatch(r"[A-Z][a-z]+ [a-z]+(us|is|ns|um|a|i|ris|es|or|ops)", lemma)]
        return [lemma.lower() for lemma in (kept or lemmas)][:5]

    def hypernym_names(self, offset: int) -> list[str]:
        """Lower-case lemmas on all hypernym chains, nearest first, abstract ones left out."""
        out: list[str] = []
        seen, queue = {offset}, list(self.synset(offset)[1])
        while queue:
            parent = queue.pop(0)
            if parent in seen:
                continue
            seen.add(parent)
            names = self.names(parent)
            if not any(n in ABSTRACT for n in names):
                out += [n for n in names[:2] if n not in out]
            queue += self.synset(parent)[1]
        return out
