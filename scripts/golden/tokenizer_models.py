# /// script
# requires-python = "==3.11.*"
# dependencies = ["tokenizers==0.22.2", "transformers==4.57.1"]
# ///
"""Ids and offsets of small tokenizers whose model is not plain byte pairs, from the libraries of Hugging Face.

WordPiece, WordLevel and Unigram of `tokenizers`, byte pairs without merges in lower case (GPN, PlantCaduceus), and
BertTokenizer on k-mers and bases between blanks, as DNABERT and SpliceBERT are called.
Writes test/golden/tokenizers/models.json. Run as: python scripts/golden/tokenizer_models.py
"""

import itertools
import json
import random
import tempfile
from pathlib import Path

import tokenizers
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertTokenizer

assert tokenizers.__version__ == "0.22.2"
OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "tokenizers" / "models.json"
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

draw = random.Random(1)
TEXTS = ["", "A", "ACGT", "GATTACA", "TTTTTTTT"] + ["".join(draw.choices("ACGT", k=n)) for n in (17, 40, 61, 64)]


def ids(tokens):
    return {token: id for id, token in enumerate(tokens)}


def with_ends(tokenizer, vocab):
    tokenizer.add_special_tokens(SPECIALS)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, vocab[name]) for name in ("[CLS]", "[SEP]")]
    )
    return tokenizer


def word_piece():
    pieces = [*"ACGT", "AC", "GATT", "TTT"]
    vocab = ids([*SPECIALS, *pieces, *(f"##{piece}" for piece in pieces)])
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=1000))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return with_ends(tokenizer, vocab)


def word_level():
    vocab = ids([*SPECIALS, *"ACGTN"])
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    return with_ends(tokenizer, vocab)


def word_level_3_mers():
    kmers = ["".join(kmer) for n in (3, 1) for kmer in itertools.product("ACGT", repeat=n)]
    vocab = ids([*SPECIALS, *kmers])
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    steps = [pre_tokenizers.Split(Regex("[ACGT]{3}"), "isolated")]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    return with_ends(tokenizer, vocab)


def unigram():
    pieces = [(name, 0.0) for name in SPECIALS] + [(base, -3.0) for base in "ACGT"]
    pieces += [("AC", -4.5), ("GAT", -5.0), ("TTTT", -6.0), ("TACA", -7.5)]
    tokenizer = Tokenizer(models.Unigram(pieces, 1))
    return with_ends(tokenizer, ids([name for name, _ in pieces]))


def letters():
    vocab = ids(["[PAD]", "[MASK]", "[UNK]", *"acgt"])
    tokenizer = Tokenizer(models.BPE(vocab, [], unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["[PAD]", "[MASK]", "[UNK]"])
    return tokenizer


def encoded(tokenizer, texts=TEXTS):
    rows = []
    for text in texts:
        encoding = tokenizer.encode(text)
        rows.append({"text": text, "ids": encoding.ids, "offsets": encoding.offsets})
    return {"json": json.loads(tokenizer.to_str()), "rows": rows}


def bert(lines, written):
    """BertTokenizer with a vocab.txt on a text that is written with blanks."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "vocab.txt").write_text("\n".join(lines) + "\n")
        tokenizer = BertTokenizer(str(Path(folder) / "vocab.txt"), do_lower_case=False)
        rows = [{"text": text, "ids": tokenizer(written(text))["input_ids"]} for text in TEXTS]
    return {"lines": lines, "rows": [row for row in rows if len(row["text"]) != 1]}


def kmers_of(text, k=3):
    return " ".join(text[i : i + k] for i in range(len(text) - k + 1))


result = {
    "made_by": f"tokenizers {tokenizers.__version__}",
    "WordPiece": encoded(word_piece()),
    "WordLevel": encoded(word_level()),
    "WordLevel 3-mers": encoded(word_level_3_mers(), ["".join(draw.choices("ACGT", k=3 * n)) for n in range(12)]),
    "Unigram": encoded(unigram()),
    "letters": encoded(letters()),
    "DNABERT": bert([*SPECIALS, *("".join(kmer) for kmer in itertools.product("ATCG", repeat=3))], kmers_of),
    "SpliceBERT": bert([*SPECIALS, *"NACGT"], " ".join),
}
OUT.write_text(json.dumps(result) + "\n")
