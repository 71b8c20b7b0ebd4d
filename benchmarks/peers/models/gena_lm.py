"""GENA-LM (Fishman et al. 2025): BERT with pre-layer norms."""

import torch
import torch.nn.functional as F

from .layers import Model, attention, dense, layer_norm, masked_head, pooler_classifier, split_heads


def load(config, w, drop):
    heads, epsilon = config["num_attention_heads"], config["layer_norm_eps"]

    def layer(at: str, x: torch.Tensor) -> torch.Tensor:
        y = layer_norm(w, f"{at}.pre_attention_ln", x, epsilon)
        q, k, v = (split_heads(dense(w, f"{at}.attention.self.{z}", y), heads) for z in ("query", "key", "value"))
        attended = attention(q, k, v, dropout=drop.rate)
        x = x + drop(dense(w, f"{at}.attention.output.dense", attended))
        y = layer_norm(w, f"{at}.post_attention_ln", x, epsilon)
        return x + drop(dense(w, f"{at}.output.dense", F.gelu(dense(w, f"{at}.intermediate.dense", y))))

    def states(ids):
        x = F.embedding(ids, w["bert.embeddings.word_embeddings.weight"]) + w["bert.embeddings.token_type_embeddings.weight"][0]
        x = x + w["bert.embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = drop(layer_norm(w, "bert.embeddings.LayerNorm", x, epsilon))
        for i in range(config["num_hidden_layers"]):
            x = layer(f"bert.encoder.layer.{i}", x)
        if config.get("last_layer_norm", True):
            x = layer_norm(w, "bert.encoder.last_layer_ln", x, epsilon)
        return x

    def logits(ids):
        guess = masked_head(w, "cls.predictions.transform", states(ids), epsilon)
        return F.linear(guess, w["bert.embeddings.word_embeddings.weight"], w["cls.predictions.bias"])

    return Model(states, logits, lambda ids: pooler_classifier(w, states(ids), drop))
