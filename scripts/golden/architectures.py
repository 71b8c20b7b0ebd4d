# /// script
# requires-python = "==3.11.*"
# dependencies = ["torch==2.15.0", "transformers==4.57.1", "gpn==0.9.0a1"]
# ///
"""Tiny models of each architecture that is recognised by its config.json: classes of Transformers and GPN in float64.

Weights are the hashes of test/models/hashed-weights.ts, so none are stored. Writes test/golden/architectures/NAME.json:
tensors of the checkpoint with their shapes, hidden states and logits of a padded batch with and without its mask,
log-likelihoods, logits of a classifier, and the loss and gradients of one step with LoRA factors.
Run as: python scripts/golden/architectures.py [NAME...]
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers
from torch.func import functional_call
from transformers.pytorch_utils import Conv1D

from gpn import register_auto_classes

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "architectures"

ROWS = [[1, 5, 6, 7, 8, 9, 2], [1, 10, 11, 12, 2, 3, 3]]
MASK = [[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0]]
GPN_MODELS = ("GPN", "ConvNet")
PAD, MASK_TOKEN, LABELS, RANK, SCALE = 3, 4, 3, 2, 2.0

COMMON = {"vocab_size": 24, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "pad_token_id": PAD}
LLAMA = COMMON | {
    "intermediate_size": 40,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
}

# name: (kind, config, prefixes of the adapted modules)
CASES = {
    "llama": (
        "causal",
        LLAMA
        | {"model_type": "llama", "rope_theta": 500000.0, "attention_bias": True, "mlp_bias": True}
        | {"rope_scaling": {"rope_type": "linear", "factor": 2.0}},
        ["model"],
    ),
    "mistral": (
        "causal",
        LLAMA | {"model_type": "mistral", "head_dim": 6, "sliding_window": 3, "tie_word_embeddings": True},
        ["model"],
    ),
    "qwen2": (
        "causal",
        LLAMA | {"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1},
        ["model"],
    ),
    "bert": (
        "masked",
        COMMON
        | {"model_type": "bert", "intermediate_size": 40, "max_position_embeddings": 16, "type_vocab_size": 2}
        | {"hidden_act": "gelu", "layer_norm_eps": 1e-12},
        ["bert.embeddings", "bert.encoder"],
    ),
    "gpt2": (
        "causal",
        {"model_type": "gpt2", "vocab_size": 24, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 16}
        | {"n_inner": 40, "pad_token_id": PAD},
        ["transformer"],
    ),
    "gpt2-untied": (
        "causal",
        {"model_type": "gpt2", "vocab_size": 24, "n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 16}
        | {"pad_token_id": PAD, "activation_function": "gelu", "tie_word_embeddings": False},
        ["transformer"],
    ),
    "gpt-neox": (
        "causal",
        COMMON
        | {"model_type": "gpt_neox", "intermediate_size": 40, "max_position_embeddings": 16, "rotary_pct": 0.25},
        ["gpt_neox"],
    ),
    "gpt-neox-sequential": (
        "causal",
        COMMON
        | {"model_type": "gpt_neox", "intermediate_size": 40, "max_position_embeddings": 16, "rotary_pct": 1.0}
        | {"use_parallel_residual": False, "attention_bias": False, "rotary_emb_base": 100.0},
        ["gpt_neox"],
    ),
    "modernbert": (
        "masked",
        COMMON
        | {"model_type": "modernbert", "intermediate_size": 40, "max_position_embeddings": 64, "local_attention": 4}
        | {"global_attn_every_n_layers": 2, "global_rope_theta": 160000.0, "local_rope_theta": 10000.0},
        ["model"],
    ),
    "modernbert-mean": (
        "masked",
        COMMON
        | {"model_type": "modernbert", "intermediate_size": 40, "max_position_embeddings": 64, "local_attention": 5}
        | {"classifier_pooling": "mean", "norm_bias": True, "attention_bias": True, "mlp_bias": True}
        | {"classifier_bias": True, "decoder_bias": False, "global_attn_every_n_layers": 3},
        ["model"],
    ),
    "gpn": (
        "masked",
        {"model_type": "GPN", "vocab_size": 24, "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 3}
        | {"encoder": "convnet", "embedding": "one_hot", "first_kernel_size": 9, "rest_kernel_size": 3},
        ["model"],
    ),
    "gpn-depthwise": (
        "masked",
        {"model_type": "GPN", "vocab_size": 24, "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 3}
        | {"bias": True, "depthwise": True, "dilation_cycle": 2, "dilation_max": 3, "dilation_base": 4},
        ["model"],
    ),
    "gpn-convnet": (
        "masked",
        {"model_type": "ConvNet", "vocab_size": 24, "hidden_size": 32, "n_layers": 3, "kernel_size": 5},
        ["model"],
    ),
    "esm": (
        "masked",
        COMMON
        | {"model_type": "esm", "intermediate_size": 40, "max_position_embeddings": 16, "mask_token_id": MASK_TOKEN}
        | {"position_embedding_type": "rotary", "token_dropout": True, "emb_layer_norm_before": False}
        | {"layer_norm_eps": 1e-5},
        ["esm"],
    ),
    "esm-absolute": (
        "masked",
        COMMON
        | {"model_type": "esm", "intermediate_size": 40, "max_position_embeddings": 16, "mask_token_id": MASK_TOKEN}
        | {"position_embedding_type": "absolute", "token_dropout": False, "emb_layer_norm_before": True}
        | {"layer_norm_eps": 1e-12, "tie_word_embeddings": False},
        ["esm"],
    ),
    "mamba": (
        "causal",
        {"model_type": "mamba", "vocab_size": 24, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 6}
        | {"pad_token_id": PAD, "use_cache": False},
        ["backbone"],
    ),
    "mamba-untied": (
        "causal",
        {"model_type": "mamba", "vocab_size": 24, "hidden_size": 24, "num_hidden_layers": 1, "state_size": 4}
        | {"conv_kernel": 3, "expand": 3, "time_step_rank": 5, "use_bias": True, "use_conv_bias": False}
        | {"tie_word_embeddings": False, "pad_token_id": PAD, "use_cache": False},
        ["backbone"],
    ),
    "mamba2": (
        "causal",
        {"model_type": "mamba2", "vocab_size": 24, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 6}
        | {"num_heads": 8, "head_dim": 8, "n_groups": 2, "chunk_size": 4, "pad_token_id": PAD, "use_cache": False},
        ["backbone"],
    ),
    "mamba2-tied": (
        "causal",
        {"model_type": "mamba2", "vocab_size": 24, "hidden_size": 24, "num_hidden_layers": 1, "state_size": 5}
        | {"num_heads": 4, "head_dim": 18, "n_groups": 1, "expand": 3, "conv_kernel": 3, "use_bias": True}
        | {"use_conv_bias": False, "tie_word_embeddings": True, "pad_token_id": PAD, "use_cache": False},
        ["backbone"],
    ),
    "llama-yarn": (
        "causal",
        LLAMA
        | {"model_type": "llama", "hidden_act": "gelu_new", "max_position_embeddings": 128}
        | {"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "beta_fast": 2.0}},
        ["model"],
    ),
    "llama3": (
        "causal",
        LLAMA
        | {"model_type": "llama", "hidden_act": "relu", "tie_word_embeddings": True}
        | {
            "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 32}
            | {"low_freq_factor": 1.0, "high_freq_factor": 4.0}
        },
        ["model"],
    ),
    "bert-untied": (
        "masked",
        COMMON
        | {"model_type": "bert", "intermediate_size": 40, "max_position_embeddings": 16, "type_vocab_size": 1}
        | {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-5, "tie_word_embeddings": False},
        ["bert.embeddings", "bert.encoder"],
    ),
    "gpt2-scaled": (
        "causal",
        {"model_type": "gpt2", "vocab_size": 24, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 16}
        | {"pad_token_id": PAD, "activation_function": "silu", "scale_attn_weights": False}
        | {"scale_attn_by_inverse_layer_idx": True},
        ["transformer"],
    ),
    "gpt-neox-tied": (
        "causal",
        COMMON
        | {"model_type": "gpt_neox", "intermediate_size": 40, "max_position_embeddings": 16, "rotary_pct": 0.5}
        | {"hidden_act": "gelu_fast", "tie_word_embeddings": True},
        ["gpt_neox"],
    ),
    "mamba2-limited": (
        "causal",
        {"model_type": "mamba2", "vocab_size": 24, "hidden_size": 32, "num_hidden_layers": 1, "state_size": 6}
        | {"num_heads": 4, "head_dim": 16, "n_groups": 4, "chunk_size": 4, "pad_token_id": PAD, "use_cache": False}
        | {"time_step_limit": [0.6, 0.75]},
        ["backbone"],
    ),
    "qwen3": ("causal", LLAMA | {"model_type": "qwen3", "head_dim": 10, "num_key_value_heads": 1}, ["model"]),
}


def norm_of_groups(norm, groups):
    """The gated norm of mamba_ssm and of Transformers 5: each group of channels by itself."""

    def forward(states, gate):
        gated = (states * torch.nn.functional.silu(gate)).unflatten(-1, (groups, -1))
        scaled = gated * torch.rsqrt((gated**2).mean(-1, keepdim=True) + norm.variance_epsilon)
        return norm.weight * scaled.flatten(-2)

    norm.forward = forward


def hashed(name, shape):
    h = 0x811C9DC5
    for byte in name.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    z = (torch.arange(torch.Size(shape).numel(), dtype=torch.int64) * 0x9E3779B1 + h) & 0xFFFFFFFF
    z = ((z ^ (z >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    z = ((z ^ (z >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    values = 0.25 * ((z ^ (z >> 16)).double() / 2**31 - 1)
    raised = values + (1 if len(shape) == 1 and name.endswith(".weight") else 0)
    return raised.reshape(shape).to(torch.float32).to(torch.float64)


def decoder_bias(model, name):
    """Transformers 5 has a bias of its own for an untied decoder of BERT."""
    untied = name == "cls.predictions.bias" and not model.config.tie_word_embeddings
    return "cls.predictions.decoder.bias" if untied else name


def filled(model):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(hashed(decoder_bias(model, name), parameter.shape))
        for name, buffer in model.named_buffers():
            if name in model.state_dict():
                buffer.copy_(hashed(name, buffer.shape))
    if model.config.model_type == "mamba2":
        for layer in model.backbone.layers:
            norm_of_groups(layer.mixer.norm, model.config.n_groups)
    return masking_embeddings(model.double().eval())


def summary(tensor):
    flat = tensor.detach().flatten()
    return {
        "sum": flat.sum().item(),
        "squares": (flat**2).sum().item(),
        "first": flat[:3].tolist(),
        "last": flat[-3:].tolist(),
    }


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


def likelihood(kind, model, row):
    """Causal: of the tokens between the special ones, given those before; masked: each masked in turn."""
    ids = torch.tensor([row])
    if kind == "causal":
        predicted = torch.log_softmax(model(ids).logits[0], -1)
        return sum(predicted[i - 1, row[i]].item() for i in range(1, len(row) - 1))
    total = 0.0
    for i in range(1, len(row) - 1):
        masked = ids.clone()
        masked[0, i] = MASK_TOKEN
        total += torch.log_softmax(model(masked).logits[0, i], -1)[row[i]].item()
    return total


def adapted_modules(model, prefixes):
    for name, module in model.named_modules():
        if not any(name.startswith(f"{prefix}.") for prefix in prefixes):
            continue
        if isinstance(module, (torch.nn.Linear, torch.nn.Embedding, torch.nn.Conv1d, Conv1D)):
            yield name, module


def lora_step(classify, model, prefixes):
    """Logits, loss and gradients of the factors A and B of every adapted weight, for the labels 1 and 0."""
    factors, changed = {}, {}
    for name, module in adapted_modules(model, prefixes):
        weight = f"{name}.weight"
        shape = module.weight.shape
        out, columns = (shape[1], shape[0]) if isinstance(module, Conv1D) else (shape[0], shape[1:].numel())
        embedding = isinstance(module, torch.nn.Embedding)
        a = hashed(f"{weight}:A", (out, RANK) if embedding else (RANK, columns)).requires_grad_()
        b = hashed(f"{weight}:B", (RANK, columns) if embedding else (out, RANK)).requires_grad_()
        factors[weight] = (a, b)
        update = a @ b if embedding else b @ a
        changed[weight] = module.weight.detach() + SCALE * (
            update.T if isinstance(module, Conv1D) else update.reshape(shape)
        )
    classes = classify(lambda *given, **named: functional_call(model, changed, given, named))
    loss = torch.nn.functional.cross_entropy(classes, torch.tensor([1, 0]))
    loss.backward()
    gradients = {
        weight: {
            which: {"sum": factor.grad.sum().item(), "squares": (factor.grad**2).sum().item(), "first": []}
            for which, factor in zip("AB", pair)
            if factor.grad is not None
        }
        for weight, pair in factors.items()
    }
    return {
        "modules": len(factors),
        "values": sum(a.numel() + b.numel() for a, b in factors.values()),
        "classes": classes.detach().flatten().tolist(),
        "loss": loss.item(),
        "gradients": {weight: pair for weight, pair in gradients.items() if pair},
    }


def called_as_transformers(model):
    """A masked language model of the package gpn, called as the classes of Transformers are."""
    states = []
    model.model.register_forward_hook(lambda _, __, output: states.append(output.last_hidden_state))

    def call(ids, **_):
        states.clear()
        logits = model(input_ids=ids).logits
        return SimpleNamespace(logits=logits, hidden_states=states[-1:])

    return call


def masking_embeddings(model):
    """Passes the attention mask to ESM's embeddings, as Transformers 4.37 does and 4.57 does not."""
    if model.config.model_type == "esm":
        seen = {}
        model.esm.register_forward_pre_hook(lambda _, args, named: seen.update(named), with_kwargs=True)
        model.esm.embeddings.register_forward_pre_hook(
            lambda _, args, named: (args, named | {"attention_mask": seen["attention_mask"]}), with_kwargs=True
        )
    return model


def classifier_of(config):
    """A function from a way of calling the model to logits [b, labels], and the model."""
    if config.model_type in GPN_MODELS:
        config.num_labels = LABELS
        model = filled(transformers.AutoModelForSequenceClassification.from_config(config))
        return model, lambda call: call(input_ids=torch.tensor(ROWS)).logits
    if type(config) in transformers.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        plain = {key: value for key, value in config.to_dict().items() if key not in ("id2label", "label2id")}
        labelled = type(config)(**plain, num_labels=LABELS)
        model = filled(transformers.AutoModelForSequenceClassification.from_config(labelled, attn_implementation="eager"))
        return model, lambda call, mask=MASK: call(torch.tensor(ROWS), attention_mask=torch.tensor(mask)).logits
    # Architectures without a classifier in Transformers: `score` on the last token that is not padding.
    model = filled(transformers.AutoModelForCausalLM.from_config(config))
    score = hashed("score.weight", (LABELS, config.hidden_size))

    def logits(call, mask=MASK):
        states = call(torch.tensor(ROWS), output_hidden_states=True).hidden_states[-1]
        last = torch.tensor(mask).sum(1) - 1
        return states[torch.arange(len(ROWS)), last] @ score.T

    return model, logits


def golden(name):
    kind, given, prefixes = CASES[name]
    given = dict(given)
    config = transformers.AutoConfig.for_model(given["model_type"], **{k: v for k, v in given.items() if k != "model_type"})
    automatic = transformers.AutoModelForCausalLM if kind == "causal" else transformers.AutoModelForMaskedLM
    model = filled(automatic.from_config(config, attn_implementation="eager"))
    tensors = {key: list(value.shape) for key, value in model.state_dict().items()}
    if config.model_type in GPN_MODELS:
        model = called_as_transformers(model)
    ids = torch.tensor(ROWS)
    result = {
        "made_by": f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}",
        "kind": kind,
        "config": given,
        "rows": ROWS,
        "mask": MASK,
        "tensors": tensors,
    }
    classifier, classes = classifier_of(config)
    with torch.no_grad():
        for run, mask in [("masked", torch.tensor(MASK)), ("unmasked", torch.ones_like(ids))]:
            output = model(ids, attention_mask=mask, output_hidden_states=True)
            states = {f"hidden{i}": summary(state) for i, state in enumerate(output.hidden_states)}
            result[run] = states | {"logits": summary(output.logits)}
        result["classes"] = classes(classifier).flatten().tolist()
        real = [[id for id, keep in zip(row, mask) if keep] for row, mask in zip(ROWS, MASK)]
        result["likelihoods"] = [likelihood(kind, model, row) for row in real]
    result["lora"] = lora_step(classes, classifier, prefixes)
    (OUT / f"{name}.json").write_text(json.dumps(rounded(result)) + "\n")


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    torch.Tensor.float = torch.Tensor.double  # GPN's one-hot embedding
    register_auto_classes("gpn")
    for case in sys.argv[1:] or CASES:
        golden(case)
