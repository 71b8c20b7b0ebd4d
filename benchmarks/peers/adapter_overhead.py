"""Serves a random Llama model of one-letter tokens through the package dart-eval-adapter, for adapter-overhead.ts.

The requests log-likelihood and embeddings are served by the package. The request activity computes the same batch
directly with transformers, in one padded forward pass, and returns its seconds.
"""

import os
import sys
import time

import torch
import transformers
from dart_eval_adapter.language_model import LanguageModel
from dart_eval_adapter.protocol import serve_functions
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

torch.manual_seed(0)
layers, width, threads = (int(word) for word in sys.argv[1:4])
query = sys.argv[4]
torch.set_num_threads(threads)
text = Tokenizer(models.WordLevel({token: i for i, token in enumerate(["[PAD]", "[UNK]", *"ACGT"])}, unk_token="[UNK]"))
text.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=text, pad_token="[PAD]", unk_token="[UNK]")
sizes = dict(hidden_size=width, num_hidden_layers=layers, num_attention_heads=4, intermediate_size=4 * width)
network = transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=8, **sizes)).eval()
served = LanguageModel(network, tokenizer, kind="causal", device="cpu", batch_size=64)


@torch.inference_mode()
def direct(sequences):
    started = time.perf_counter()
    ids = tokenizer(sequences, return_tensors="pt", padding=True)["input_ids"]
    if query == "embeddings":
        network.base_model(ids).last_hidden_state.contiguous()
    else:
        log_p = network(ids).logits[:, :-1].log_softmax(-1)
        log_p.gather(-1, ids[:, 1:, None]).squeeze(-1).double().sum(1).tolist()
    return [time.perf_counter() - started] * len(sequences)


parameters = sum(p.numel() for p in network.parameters())
serve_functions(
    name=f"{parameters}",
    identity=f"{os.getpid()}",
    log_likelihood=served.log_likelihood,
    embeddings=served.embeddings,
    activity=direct,
    width=width,
    batch_size=64,
)
