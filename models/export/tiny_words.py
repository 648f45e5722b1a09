"""Small true tokenizers, trained on a few sentences: BERT's word pieces and GPT-2's byte pairs."""

from __future__ import annotations

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SENTENCES = (
    "a photo of a dog on the grass",
    "two cats sleeping on a red couch",
    "What is in the photo? How many dogs are there?",
    "What colour is the car? Is it raining? Is there a bicycle?",
    "a man riding a horse along the beach at sunset",
    "a plate of food with bread and green apples",
    "yes, no, one, two, three, red, green, blue, black and white",
    "children playing football in the snow near a blue house",
)


def bert() -> Tokenizer:
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer(lowercase=True)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tok.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(vocab_size=150, special_tokens=special))
    tok.decoder = decoders.WordPiece()
    ends = [(token, tok.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    return tok


def byte_pairs(special: list[str], size: int, later: list[str] = []) -> Tokenizer:
    """GPT-2's kind: every byte is known. `special` come first in the vocabulary, `later` behind it."""
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tok.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, special_tokens=special))
    tok.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in later])
    return tok
