"""Tokens of a sequence and the bases that each of them covers."""

import random
import re
from typing import NamedTuple

from .protocol import Refused

# Word-boundary markers in the texts of tokens: SentencePiece, byte-level BPE, WordPiece, BPE with a suffix.
WORD_BOUNDARIES = re.compile(r"^(?:▁|Ġ|##)|</w>$")


class Encoded(NamedTuple):
    """Token ids of a sequence. Tokens first to last, last excluded, cover its bases; the others are special tokens."""

    sequence: str
    ids: list
    first: int
    last: int
    # Bases [starts[i], ends[i]) of token i, 0-based, disjoint; 0 and 0 for special tokens.
    starts: list
    ends: list
    # Bases of each overlapping k-mer; 0 for tokens that do not overlap.
    k: int = 0


class Prediction(NamedTuple):
    """A term of a pseudo-log-likelihood: log P(any of `targets` at token `at`), with tokens first to last, last excluded, masked."""

    first: int
    last: int
    at: int
    targets: tuple


class Encoder:
    """Encodes sequences of A, C, G and T with a tokenizer.

    tokenizer  a tokenizer of transformers, or a function from a sequence to one token id per base. One whose vocabulary is all
               k-mers and special tokens, such as DNABERT's, receives the overlapping k-mers between blanks.
    """

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.is_function = not hasattr(tokenizer, "convert_ids_to_tokens")
        unknown = getattr(tokenizer, "unk_token_id", None)
        self.special = set(getattr(tokenizer, "all_special_ids", ())) - {unknown}
        self.mask = getattr(tokenizer, "mask_token_id", None)
        self.pad = getattr(tokenizer, "pad_token_id", None)
        vocabulary = tokenizer.get_vocab() if hasattr(tokenizer, "get_vocab") else {}
        self.k_mers = {text.upper(): token for text, token in vocabulary.items() if re.fullmatch("[ACGTacgt]{2,8}", text)}
        lengths = {len(text) for text in self.k_mers}
        k = max(lengths, default=0)
        # Bases of overlapping k-mers, the whole vocabulary; 0 for tokens that do not overlap.
        self.k = k if lengths == {k} and len(self.k_mers) == 4**k and not self._spells("ACGT" * k) else 0
        self.agreeing = {}

    def __call__(self, sequence):
        other = sequence.strip("ACGT")
        if other:
            raise Refused(f"sequences consist of A, C, G and T, but one contains {other[0]!r}")
        if self.is_function:
            return self._one_per_base(sequence, [int(token) for token in self.tokenizer(sequence)])
        ids, texts, first, last = self._tokens(sequence)
        if not self.k:
            if "".join(texts[first:last]) == sequence:
                return self._disjoint(sequence, ids, texts, first, last)
        elif self._overlap(sequence, texts[first:last]):
            return self._overlapping(sequence, ids, first, last)
        shown = " ".join(texts[first : first + 4])
        raise Refused(
            f"the tokens {shown} … do not spell the sequence {sequence[:12]} …: they have no likelihood rule here; compute it "
            "yourself and use serve_functions"
        )

    def _spells(self, sequence):
        """True if the tokens, concatenated, are the sequence. Sets k to 0."""
        self.k = 0
        _, texts, first, last = self._tokens(sequence)
        return "".join(texts[first:last]) == sequence

    def _tokens(self, sequence):
        """Ids, their texts, and the first and last token between the special ones, last excluded."""
        text = sequence
        if self.k:
            text = " ".join(sequence[at : at + self.k] for at in range(max(1, len(sequence) - self.k + 1)))
        ids = list(self.tokenizer(text, truncation=False)["input_ids"])
        texts = [WORD_BOUNDARIES.sub("", text).upper() for text in self.tokenizer.convert_ids_to_tokens(ids)]
        first, last = 0, len(ids)
        while first < last and (ids[first] in self.special or not texts[first]):
            first += 1
        while first < last and (ids[last - 1] in self.special or not texts[last - 1]):
            last -= 1
        return ids, texts, first, last

    def _overlap(self, sequence, texts):
        """True if the tokens are the k-mers at every position, or one unknown token for a sequence shorter than k."""
        if len(sequence) < self.k:
            return len(texts) == min(1, len(sequence))
        return texts == [sequence[at : at + self.k] for at in range(len(sequence) - self.k + 1)]

    @staticmethod
    def _disjoint(sequence, ids, texts, first, last):
        starts, ends = [0] * len(ids), [0] * len(ids)
        at = 0
        for token in range(first, last):
            starts[token], at = at, at + len(texts[token])
            ends[token] = at
        return Encoded(sequence, ids, first, last, starts, ends)

    def _overlapping(self, sequence, ids, first, last):
        """Each k-mer covers its middle base, ⌊(k − 1) / 2⌋; the first also covers those before, the last those after."""
        starts, ends = [0] * len(ids), [0] * len(ids)
        centre = (self.k - 1) // 2
        for token in range(first, last):
            starts[token] = 0 if token == first else token - first + centre
            ends[token] = len(sequence) if token == last - 1 else token - first + centre + 1
        return Encoded(sequence, ids, first, last, starts, ends, self.k)

    @staticmethod
    def _one_per_base(sequence, ids):
        if len(ids) != len(sequence):
            raise Refused(f"the tokenizer function returned {len(ids)} ids for {len(sequence)} bases; expected one per base")
        return Encoded(sequence, ids, 0, len(ids), list(range(len(ids))), list(range(1, len(ids) + 1)))

    def predictions(self, encoded):
        """Terms of a pseudo-log-likelihood: one per token, or one per base of overlapping k-mers."""
        if not encoded.k:
            return [Prediction(at, at + 1, at, (encoded.ids[at],)) for at in range(encoded.first, encoded.last)]
        return [
            self._of_base(encoded, base, at)
            for at in range(encoded.first, encoded.last)
            for base in range(encoded.starts[at], encoded.ends[at])
        ]

    def _of_base(self, encoded, base, at):
        """Masks all k-mers that contain the base, and predicts those with this base at its offset in token `at`."""
        first = max(encoded.first, encoded.first + base - encoded.k + 1)
        last = min(encoded.last, encoded.first + base + 1)
        if len(encoded.sequence) < encoded.k:
            return Prediction(first, last, at, (encoded.ids[at],))
        key = (encoded.sequence[base], base - (at - encoded.first))
        if key not in self.agreeing:
            self.agreeing[key] = tuple(token for text, token in self.k_mers.items() if text[key[1]] == key[0])
        return Prediction(first, last, at, self.agreeing[key])

    def kind_and_longest(self):
        """Kind of tokens ("one-letter", "k-mer" or "bpe") and their maximum number of bases, from a fixed random sequence."""
        bases = random.Random(0).choices("ACGT", k=241)
        encoded = self("".join(bases))
        if encoded.k:
            return "k-mer", 1
        lengths = [encoded.ends[i] - encoded.starts[i] for i in range(encoded.first, encoded.last)]
        longest = max(lengths)
        if longest == 1:
            return "one-letter", 1
        whole = 241 // longest
        is_k_mer = all(length == longest for length in lengths[:whole])
        return ("k-mer" if is_k_mer else "bpe"), longest
