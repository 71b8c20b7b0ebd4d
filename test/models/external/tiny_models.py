"""Tiny random models of transformers, and their scores computed by transformers alone.

tiny_models.py FOLDER  writes FOLDER/masked, FOLDER/causal and FOLDER/overlapping, and prints scores as JSON
tiny_models.py serve FOLDER  serves a folder with a tokenizer.json alone, as objects
"""

import itertools
import json
import random
import sys

import torch
import transformers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors, trainers

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
NAMES = dict(pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")
SEQUENCES = ["GATTACA", "ACGTACGTTTGACCA", "C", "", "TTGACAATTACGAACCGGTA"]
PAIRS = [["ACGTAC", "ACTTAC"], ["GATTACA", "GATTACA"], ["CCGATGAT", "GCGATGAA"]]


def masked():
    """One token per base, [CLS] and [SEP]."""
    torch.manual_seed(1)
    words = {token: i for i, token in enumerate([*SPECIAL, *"ACGT"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    sizes = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    config = transformers.BertConfig(vocab_size=9, max_position_embeddings=400, initializer_range=0.5, **sizes)
    return transformers.BertForMaskedLM(config).eval(), transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **NAMES
    )


def causal():
    """Byte pairs without special tokens."""
    torch.manual_seed(2)
    rng = random.Random(0)
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    texts = ["".join(rng.choices("ACGT", k=300)) for _ in range(20)]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=40, special_tokens=SPECIAL, show_progress=False))
    sizes = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    config = transformers.LlamaConfig(vocab_size=40, initializer_range=0.5, **sizes)
    return transformers.LlamaForCausalLM(config).eval(), transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **NAMES
    )


def overlapping(folder):
    """A BERT of overlapping 3-mers in the files of DNABERT: vocab.txt, and a tokenizer that expects blanks."""
    torch.manual_seed(3)
    words = [*SPECIAL, *("".join(each) for each in itertools.product("ATCG", repeat=3))]
    sizes = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    config = transformers.BertConfig(vocab_size=69, max_position_embeddings=100, initializer_range=0.5, **sizes)
    transformers.BertForMaskedLM(config).eval().save_pretrained(folder)
    with open(f"{folder}/vocab.txt", "w") as file:
        file.write("\n".join(words) + "\n")
    with open(f"{folder}/tokenizer_config.json", "w") as file:
        json.dump({"tokenizer_class": "BertTokenizer", "do_lower_case": False, **NAMES}, file)


def masked_terms(model, ids, positions, of):
    """log P(of[p]) at each position p of `ids`, each masked in a copy."""
    total = 0.0
    for position in positions:
        copy = ids.clone()
        copy[position] = 4
        total += float(model(copy[None]).logits[0, position].log_softmax(-1)[of[position]])
    return total


def main(folder):
    transformers.logging.set_verbosity_error()
    bert, letters = masked()
    llama, pairs_of_bytes = causal()
    for name, model, tokenizer in (("masked", bert, letters), ("causal", llama, pairs_of_bytes)):
        model.save_pretrained(f"{folder}/{name}")
        tokenizer.save_pretrained(f"{folder}/{name}")
    overlapping(f"{folder}/overlapping")
    expected = {"sequences": SEQUENCES, "pairs": PAIRS, "masked": [], "causal": [], "alleles": []}
    with torch.inference_mode():
        for sequence in SEQUENCES:
            ids = torch.tensor(letters(sequence)["input_ids"])
            expected["masked"].append(masked_terms(bert, ids, range(1, len(ids) - 1), ids))
            ids = torch.tensor([pairs_of_bytes(sequence)["input_ids"]], dtype=torch.long)
            count = ids.shape[1] - 1
            expected["causal"].append(-count * float(llama(ids, labels=ids).loss) if count > 0 else 0.0)
        for pair in PAIRS:
            a, b = (torch.tensor(letters(sequence)["input_ids"]) for sequence in pair)
            differ = (a != b).nonzero().flatten().tolist()
            hidden = torch.where(a != b, 4, a)
            log_p = bert(hidden[None]).logits[0].log_softmax(-1)
            expected["alleles"].append([sum(float(log_p[p, ids[p]]) for p in differ) for ids in (a, b)])
        states = bert(torch.tensor([letters(SEQUENCES[0])["input_ids"]]), output_hidden_states=True).hidden_states[-1]
        expected["states"] = states[0].flatten().tolist()
    print(json.dumps(expected))


def serve_folder(folder):
    from dart_eval_adapter import serve

    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    tokens = dict(bos_token="[CLS]", eos_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]", mask_token="[MASK]")
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=f"{folder}/tokenizer.json", **tokens)
    serve(model, tokenizer, name="objects", batch_size=2)


if sys.argv[1] == "serve":
    serve_folder(sys.argv[2])
else:
    main(sys.argv[1])
