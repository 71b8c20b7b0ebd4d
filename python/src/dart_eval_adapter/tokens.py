"""Tokens of a sequence and the bases that each of them covers."""

import random
import re
from typing import NamedTuple

from .protocol import Refused

# Marks of word boundaries in the texts of tokens: SentencePiece, byte-level BPE, WordPiece, BPE with a suffix.
MARKS = re.compile(r"^(?:▁|Ġ|##)|</w>$")


class Encoded(NamedTuple):
    """Token ids of a sequence. Tokens first to last, last excluded, cover its bases; the others are special tokens."""

    ids: list
    first: int
    last: int
    # Bases [starts[i], ends[i]) of token i, 0-based; 0 and 0 for special tokens.
    starts: list
    ends: list


class Encoder:
    """Encodes sequences of A, C, G and T with a tokenizer.

    tokenizer  a tokenizer of transformers, or a function from a sequence to one token id per base
    """

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.is_function = not hasattr(tokenizer, "convert_ids_to_tokens")
        unknown = getattr(tokenizer, "unk_token_id", None)
        self.special = set(getattr(tokenizer, "all_special_ids", ())) - {unknown}
        self.mask = getattr(tokenizer, "mask_token_id", None)
        self.pad = getattr(tokenizer, "pad_token_id", None)

    def __call__(self, sequence):
        other = sequence.strip("ACGT")
        if other:
            raise Refused(f"sequences consist of A, C, G and T, but one contains {other[0]!r}")
        if self.is_function:
            return self._one_per_base(sequence, [int(token) for token in self.tokenizer(sequence)])
        ids = list(self.tokenizer(sequence, truncation=False)["input_ids"])
        texts = [MARKS.sub("", text) for text in self.tokenizer.convert_ids_to_tokens(ids)]
        first, last = 0, len(ids)
        while first < last and (ids[first] in self.special or not texts[first]):
            first += 1
        while first < last and (ids[last - 1] in self.special or not texts[last - 1]):
            last -= 1
        if "".join(texts[first:last]).upper() != sequence:
            shown = " ".join(texts[first : first + 4])
            raise Refused(
                f"the tokens {shown} … do not spell the sequence {sequence[:12]} …: overlapping and unknown tokens have no "
                "likelihood rule here; compute it yourself and use serve_functions"
            )
        starts, ends = [0] * len(ids), [0] * len(ids)
        at = 0
        for token in range(first, last):
            starts[token], at = at, at + len(texts[token])
            ends[token] = at
        return Encoded(ids, first, last, starts, ends)

    @staticmethod
    def _one_per_base(sequence, ids):
        if len(ids) != len(sequence):
            raise Refused(f"the tokenizer function returned {len(ids)} ids for {len(sequence)} bases; expected one per base")
        return Encoded(ids, 0, len(ids), list(range(len(ids))), list(range(1, len(ids) + 1)))

    def kind_and_longest(self):
        """Kind of tokens ("one-letter", "k-mer" or "bpe") and their most bases, from a fixed random sequence."""
        bases = random.Random(0).choices("ACGT", k=241)
        encoded = self("".join(bases))
        lengths = [encoded.ends[i] - encoded.starts[i] for i in range(encoded.first, encoded.last)]
        longest = max(lengths)
        if longest == 1:
            return "one-letter", 1
        whole = 241 // longest
        is_k_mer = all(length == longest for length in lengths[:whole])
        return ("k-mer" if is_k_mer else "bpe"), longest
