# /// script
# requires-python = "==3.11.*"
# dependencies = ["tokenizers==0.22.2", "transformers==4.57.1"]
# ///
"""Ids and offsets of unusual texts, from the libraries of the models' authors.

Small byte-pair tokenizers, one for each rule of a tokenizer.json that this package reads, and Nucleotide Transformer's
tokenizer (EsmTokenizer) with vocabularies built by rule.

Writes test/golden/tokenizers/*.json: ids of each text and, if the library returns them, offsets. Run as
python scripts/golden/token_ids.py, then `npm run format`.
"""

import itertools
import json
import random
import tempfile
from pathlib import Path

import tokenizers
import transformers
from tokenizers import Tokenizer

assert (tokenizers.__version__, transformers.__version__) == ("0.22.2", "4.57.1")

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "tokenizers"
OUT.mkdir(parents=True, exist_ok=True)

SPECIALS = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
IN_ORDER = ["A A", "T G", "C A", "AA T", "G G", "TG CA", "AA AA", "N N", "C CA", "AAT TG", "GG A", "NN NN", "T T"]
# The same token by two merges, and a merge before the merge of its part.
OUT_OF_ORDER = ["A A", "AA T", "AA A", "A AA", "AAA C", "GT C", "T G", "G T", "C C", "A AT", "A T", "TT G", "T T"]


def added(content, id, **flags):
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": id, "content": content, **plain, **flags}


def description(merges=IN_ORDER, letters="ACGTN-", specials=None, model=None, **parts):
    tokens = [*SPECIALS, *letters]
    for merge in merges:
        made = merge.replace(" ", "")
        if made not in tokens:
            tokens.append(made)
    vocab = {token: id for id, token in enumerate(tokens)}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": specials or [added(token, id) for id, token in enumerate(SPECIALS)],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "[UNK]",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "vocab": vocab,
            "merges": merges,
            **(model or {}),
        },
        **parts,
    }


WHITESPACE = {"type": "Whitespace"}
STRIP = {"type": "Strip", "strip_left": True, "strip_right": True}
BERT = {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}
TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [
        {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
    ],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {
        "[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]},
        "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]},
    },
}


def replace(pattern, content):
    return {"type": "Replace", "pattern": pattern, "content": content}


def split(pattern, behavior):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": False}


def sequence(key, *steps):
    return {"type": "Sequence", key: list(steps)}


TOKENIZERS = {
    "no rules": description(),
    "merges out of order": description(OUT_OF_ORDER),
    "words and signs, template": description(pre_tokenizer=WHITESPACE, post_processor=TEMPLATE),
    "between blanks": description(pre_tokenizer={"type": "WhitespaceSplit"}, post_processor=BERT),
    "strip, gap for a run, split": description(
        normalizer=sequence("normalizers", STRIP, replace({"Regex": "N{3,}"}, "-")),
        pre_tokenizer=split({"String": "-"}, "Isolated"),
        post_processor=BERT,
    ),
    "strip left, runs of two or three": description(
        normalizer=sequence(
            "normalizers",
            {"type": "Strip", "strip_left": True, "strip_right": False},
            replace({"Regex": "N{2,3}"}, "A"),
        ),
    ),
    "strip right, letter removed": description(
        normalizer=sequence(
            "normalizers",
            {"type": "Strip", "strip_left": False, "strip_right": True},
            replace({"String": "G"}, ""),
        ),
    ),
    "normal forms": description(
        normalizer=sequence("normalizers", {"type": "NFC"}, {"type": "NFKD"}, STRIP),
        pre_tokenizer=WHITESPACE,
        post_processor=TEMPLATE,
    ),
    "normal form, normalized literals": description(
        normalizer={"type": "NFC"},
        specials=[added(token, id, normalized=True) for id, token in enumerate(SPECIALS)],
    ),
    "text replaced": description(normalizer=replace({"String": "CA"}, "T")),
    "split away": description(
        pre_tokenizer=sequence("pretokenizers", {"type": "WhitespaceSplit"}, split({"Regex": "N+"}, "Removed")),
        post_processor=sequence("processors", BERT),
    ),
    "split at a base": description(pre_tokenizer=split({"String": "TG"}, "Isolated")),
    "greedy literals": description(
        specials=[
            *[added(token, id) for id, token in enumerate(SPECIALS[:4])],
            added("[MASK]", 4, lstrip=True, rstrip=True),
            added("TTA", 24),
            added("TTAC", 25, lstrip=True),
        ],
    ),
    "byte-level letters": description(
        letters="ACGTN-acgt",
        model={"unk_token": None},
        pre_tokenizer={"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        post_processor={"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    ),
}


def texts_for(name):
    draw = random.Random(name)
    only_known = name.startswith("byte-level")
    pieces = ["A", "C", "G", "T", "AA", "TG", "CA", "N", "NN", "NNNN", "TTAC"]
    odd = [] if only_known else [" ", "  ", "\t", "\n", "-", "a", "R", ".", "_", "7", "[MASK]", " [MASK] ", "[SEP]"]
    for i in range(60):
        choice = pieces[:7] if i < 15 else pieces + odd
        yield "".join(draw.choices(choice, k=draw.randrange(0, 24)))


def joined(values):
    return " ".join(map(str, values))


cases = []
for name, given in TOKENIZERS.items():
    tokenizer = Tokenizer.from_str(json.dumps(given))
    encodings = []
    for text in texts_for(name):
        encoding = tokenizer.encode(text)
        encodings.append([text, joined(encoding.ids), joined(f"{start}-{end}" for start, end in encoding.offsets)])
    cases.append({"name": name, "tokenizer": given, "encodings": encodings})
(OUT / "byte-pair-rules.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")


def vocabulary(version, k):
    kmers = ["".join(letters) for letters in itertools.product("ATCG", repeat=k)]
    first, ends = ["<unk>", "<pad>", "<mask>", "<cls>"], ["<eos>", "<bos>"]
    return [*first, *ends, *kmers, *"ATCGN"] if version == 2 else [*first, *kmers, *"ATCGN", *ends]


cases = []
for version, k in [(1, 6), (2, 6), (2, 3)]:
    draw = random.Random(10 * version + k)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vocab.txt"
        file.write_text("\n".join(vocabulary(version, k)))
        tokenizer = transformers.EsmTokenizer(str(file), eos_token=None, cls_token="<cls>")
    encodings = []
    for i in range(150):
        choice = "ACGT" if i < 40 else "ACGTACGTACGTN" if i < 80 else [*"ACGTACGTACGTNacRY-.[] \t\n", "<mask>", "<cls>", "<pad>"]
        text = "".join(draw.choices(choice, k=draw.randrange(0, 60)))
        encodings.append([text, joined(tokenizer(text)["input_ids"])])
    cases.append({"version": version, "k": k, "encodings": encodings})
(OUT / "k-mers.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
