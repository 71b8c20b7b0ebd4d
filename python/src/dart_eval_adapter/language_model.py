"""Log-likelihoods, comparisons of alleles and embeddings of a PyTorch language model."""

import ctypes
import hashlib
import json
import os
import sys
import time

import torch

from .protocol import Progress, Refused, serve_functions
from .tokens import Encoder

# Entries of a configuration that do not affect outputs.
PROVENANCE_KEYS = ("_name_or_path", "_commit_hash", "transformers_version", "torch_dtype", "dtype")


def serve(
    model,
    tokenizer=None,
    *,
    kind=None,
    name=None,
    identity=None,
    device=None,
    dtype="float32",
    batch_size=64,
    max_tokens=None,
    revision=None,
    trust_remote_code=False,
):
    """Serves a language model until standard input closes.

    model       a module that maps token ids [b, t] to logits [b, t, v], to an object with `logits`, or to a tuple that
                begins with logits; or a repository or folder that transformers can load
    tokenizer   a tokenizer of transformers, or a function from a sequence to one token id per base; loaded with `model` if
                that is a name
    kind        "masked" or "causal"; default: from the name of the model's class
    name        name in results; default: the repository, the folder's own name, or the model's class
    identity    text that changes whenever an output may change; default: a digest of weights, configuration and vocabulary
    device      default: "cuda" where there is one, else "cpu"
    dtype       "float32", "float16" or "bfloat16"; log-probabilities are float32, sums float64
    batch_size  rows per forward pass and sequences per request
    max_tokens  maximum tokens of a row; default: the size of the table of learned positions, if the model has one

    Rows of a batch of a masked model have equal numbers of tokens, so nothing is padded; rows of a causal model are padded
    on the right, which no earlier token sees. A masked model takes one row per token.
    """
    started = time.monotonic()
    if isinstance(model, str):
        name = name or model
        model, tokenizer, kind = load(model, tokenizer, kind, revision=revision, trust_remote_code=trust_remote_code)
    served = LanguageModel(
        model, tokenizer, kind=kind, device=device, dtype=dtype, batch_size=batch_size, max_tokens=max_tokens
    )
    name = name or type(model).__name__
    if os.path.isdir(name):
        name = os.path.basename(os.path.abspath(name))
    identity = identity or served.digest()
    print(f"{name}: {served.kind}, {dtype} on {served.device}, {time.monotonic() - started:.1f} s", file=sys.stderr)
    serve_functions(name=name, identity=f"{served.kind} {dtype} {identity}", **served.functions(), **served.facts())


def load(name, tokenizer, kind, **options):
    """Loads a repository or folder with transformers. Its own code runs only with trust_remote_code=True."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(name, **options)
    kind = kind or kind_of(config.architectures or [])
    auto = transformers.AutoModelForMaskedLM if kind == "masked" else transformers.AutoModelForCausalLM
    model = auto.from_pretrained(name, config=config, **options)
    if tokenizer is None:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, **options)
    return model, tokenizer, kind


def kind_of(classes):
    """"masked" or "causal", by names of classes such as BertForMaskedLM."""
    for name in classes:
        if name.endswith("MaskedLM"):
            return "masked"
        if name.endswith(("CausalLM", "LMHeadModel")):
            return "causal"
    raise TypeError(f'{", ".join(classes) or "the model"} is neither ...ForMaskedLM nor ...ForCausalLM: pass kind="masked" or kind="causal"')


class LanguageModel:
    def __init__(self, model, tokenizer, *, kind=None, device=None, dtype="float32", batch_size=64, max_tokens=None):
        self.kind = kind or kind_of([type(model).__name__])
        if self.kind not in ("masked", "causal"):
            raise TypeError(f'kind is {self.kind!r}; expected "masked" or "causal"')
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.dtype = dtype
        self.model = model
        if isinstance(model, torch.nn.Module):
            self.model = model.to(device=self.device, dtype=getattr(torch, dtype)).eval()
        self.encoder = Encoder(tokenizer)
        if self.kind == "masked" and self.encoder.mask is None:
            raise TypeError("the tokenizer has no mask_token, which a masked model requires")
        self.batch_size = batch_size
        self.tokens, self.bases_per_token = self.encoder.kind_and_longest()
        self.overlaps = self.encoder("ACGTACGTACGT").k > 0
        if self.overlaps and self.kind == "causal":
            raise TypeError("overlapping k-mers have a likelihood rule for masked models only")
        self.max_tokens = max_tokens or learned_positions(model)
        with torch.inference_mode():
            probe = self._ids([self.encoder("ACGTACGTACGT")])
            self.vocabulary = self._logits(probe).shape[-1]
            self.width = self._width(probe)

    def functions(self):
        """Functions that the model and its tokenizer allow."""
        compares = self.tokens != "bpe" and self.encoder.mask is not None
        return {
            "log_likelihood": self.log_likelihood,
            "alleles": self.alleles if compares else None,
            "embeddings": self.embeddings if self.width else None,
        }

    def facts(self):
        longest = None
        if self.max_tokens and self.tokens != "bpe":
            longest = (self.max_tokens - len(self.encoder("").ids)) * self.bases_per_token
            longest += self.encoder.k - 1 if self.overlaps else 0
        return {
            "kind": self.kind,
            "tokens": self.tokens,
            "width": self.width,
            "batch_size": self.batch_size,
            "longest_sequence": longest,
            "score_rounding": 2.0**-23 if self.dtype == "float32" else None,
        }

    def digest(self):
        """SHA-256 of weights, configuration and vocabulary; 16 digits."""
        sha = hashlib.sha256()
        config = getattr(self.model, "config", None)
        facts = config.to_dict() if hasattr(config, "to_dict") else {}
        vocabulary = self.encoder.tokenizer.get_vocab() if hasattr(self.encoder.tokenizer, "get_vocab") else {}
        kept = {key: value for key, value in facts.items() if key not in PROVENANCE_KEYS}
        sha.update(json.dumps([kept, vocabulary], sort_keys=True, default=str).encode())
        for key, tensor in sorted(self.model.state_dict().items()):
            sha.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
            sha.update(bytes_of(tensor))
        return sha.hexdigest()[:16]

    @torch.inference_mode()
    def log_likelihood(self, sequences):
        """Sum of log P(token | tokens before) or log P(token | all other tokens), nats, one per sequence."""
        encoded = self._encode(sequences)
        return self._causal(encoded) if self.kind == "causal" else self._masked(encoded)

    def _causal(self, encoded):
        totals = [0.0] * len(encoded)
        progress = Progress("log-likelihood", len(encoded))
        by_length = sorted(range(len(encoded)), key=lambda i: len(encoded[i].ids))
        for rows in chunks(by_length, self.batch_size):
            ids = self._ids([encoded[row] for row in rows])
            if ids.shape[1] > 1:
                terms = self._log_probabilities(self._logits(ids)[:, :-1], ids[:, 1:]).double().cpu()
                for i, row in enumerate(rows):
                    totals[row] = float(terms[i, max(encoded[row].first - 1, 0) : max(encoded[row].last - 1, 0)].sum())
            progress.add(len(rows))
        return totals

    def _masked(self, encoded):
        totals = torch.zeros(len(encoded), dtype=torch.float64)
        terms = [self.encoder.predictions(each) for each in encoded]
        progress = Progress("log-likelihood", sum(map(len, terms)))
        for group in of_equal_length(encoded):
            ids = self._ids([encoded[row] for row in group])
            copies = [(i, each) for i, row in enumerate(group) for each in terms[row]]
            for some in chunks(copies, self.batch_size):
                positions = [(i, each.first, each.last, each.at) for i, each in some]
                of, first, last, at = torch.tensor(positions, device=self.device).T  # [n] each
                token = torch.arange(ids.shape[1], device=self.device)  # [t]
                masked = (first[:, None] <= token) & (token < last[:, None])  # [n, t]
                logits = self._logits(torch.where(masked, self.encoder.mask, ids[of]))  # [n, t, v]
                values = self._summed(logits[torch.arange(len(some), device=self.device), at], [each for _, each in some])
                totals.index_add_(0, torch.tensor([group[i] for i, _ in some]), values)
                progress.add(len(some))
        return totals.tolist()

    @torch.inference_mode()
    def alleles(self, pairs):
        """Log-likelihoods of both alleles' tokens where the two differ, with these tokens masked, nats."""
        first, second = (self._encode([pair[i] for pair in pairs]) for i in (0, 1))
        for i, (a, b) in enumerate(zip(first, second)):
            if len(a.ids) != len(b.ids):
                raise Refused(f"the alleles of pair {i} have {len(a.ids)} and {len(b.ids)} tokens; expected equal numbers")
        if self.overlaps:
            return self._overlapping_alleles(first, second)
        totals = torch.zeros(len(pairs), 2, dtype=torch.float64)
        shift = 1 if self.kind == "causal" else 0
        for group in of_equal_length(first):
            for rows in chunks(group, self.batch_size):
                alleles = torch.stack([self._ids([each[row] for row in rows]) for each in (first, second)])  # [2, b, t]
                differ = alleles[0] != alleles[1]  # [b, t]
                differ[:, :shift] = False
                of, at = differ.nonzero(as_tuple=True)  # row and token of each difference, [n]
                if len(of) == 0:
                    continue
                logits = self._logits(torch.where(differ, self.encoder.mask, alleles[0]))[of, at - shift]  # [n, v]
                terms = self._log_probabilities(logits.expand(2, *logits.shape), alleles[:, of, at])  # [2, n]
                where = torch.tensor(rows)[of.cpu()]
                totals.index_add_(0, where, terms.T.double().cpu())
        return totals.tolist()

    def _overlapping_alleles(self, first, second):
        """As `alleles`: every k-mer is masked that contains a base that differs."""
        totals = torch.zeros(len(first), 2, dtype=torch.float64)
        both = [zip(self.encoder.predictions(a), self.encoder.predictions(b)) for a, b in zip(first, second)]
        differ = [[(a, b) for a, b in terms if a.targets != b.targets] for terms in both]
        for group in of_equal_length(first):
            for rows in chunks(group, self.batch_size):
                ids = self._ids([first[row] for row in rows])
                terms = [(i, *pair) for i, row in enumerate(rows) for pair in differ[row]]
                for i, term, _ in terms:
                    ids[i, term.first : term.last] = self.encoder.mask
                if not terms:
                    continue
                logits = self._logits(ids)[[i for i, _, _ in terms], [term.at for _, term, _ in terms]]
                where = torch.tensor([rows[i] for i, _, _ in terms])
                for allele in (0, 1):
                    totals[:, allele].index_add_(0, where, self._summed(logits, [each[1 + allele] for each in terms]))
        return totals.tolist()

    @torch.inference_mode()
    def embeddings(self, sequences):
        """Last hidden states of every token, with the bases that it covers."""
        encoded = self._encode(sequences)
        results = [None] * len(encoded)
        progress = Progress("embeddings", len(encoded))
        for group in of_equal_length(encoded):
            for rows in chunks(group, self.batch_size):
                states = self._states(self._ids([encoded[row] for row in rows])).float().cpu()
                for row, values in zip(rows, states):
                    results[row] = ((bytes_of(values), values.shape[-1]), encoded[row].starts, encoded[row].ends)
                progress.add(len(rows))
        return results

    def _encode(self, sequences):
        encoded = [self.encoder(sequence) for sequence in sequences]
        most = max((len(each.ids) for each in encoded), default=0)
        if self.max_tokens and most > self.max_tokens:
            raise Refused(f"a sequence has {most} tokens, the model takes at most {self.max_tokens}")
        return encoded

    def _ids(self, encoded):
        """Token ids [b, t], padded on the right."""
        longest = max(len(each.ids) for each in encoded)
        pad = 0 if self.encoder.pad is None else self.encoder.pad
        rows = [each.ids + [pad] * (longest - len(each.ids)) for each in encoded]
        return torch.tensor(rows, dtype=torch.long, device=self.device)

    def _logits(self, ids):
        output = self.model(ids)
        if hasattr(output, "logits"):
            return output.logits
        return output[0] if isinstance(output, (tuple, list)) else output

    def _summed(self, logits, terms):
        """log P(any of the targets) of each term, [n], float64 on the CPU.  logits: [n, v]"""
        most = max(len(term.targets) for term in terms)
        targets = torch.tensor([term.targets + (-1,) * (most - len(term.targets)) for term in terms], device=self.device)
        values = logits.float().log_softmax(-1).gather(-1, targets.clamp(min=0))
        return values.masked_fill(targets < 0, float("-inf")).logsumexp(-1).double().cpu()

    @staticmethod
    def _log_probabilities(logits, targets):
        """log P(target) by logits [..., v] and targets [...]."""
        return logits.float().log_softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)

    def _states(self, ids):
        """Last hidden states [b, t, width] of the model below its head."""
        base = getattr(self.model, "base_model", self.model)
        if base is self.model:
            return self.model(ids, output_hidden_states=True).hidden_states[-1]
        output = base(ids)
        return output.last_hidden_state if hasattr(output, "last_hidden_state") else output[0]

    def _width(self, ids):
        """Width of a token state; None for a model without hidden states."""
        try:
            states = self._states(ids)
        except (TypeError, AttributeError):
            return None
        return states.shape[2] if states.shape[:2] == ids.shape else None


def learned_positions(model):
    """Maximum tokens of a row with learned positions: the size of their table; None without a table."""
    if not isinstance(model, torch.nn.Module):
        return None
    config = getattr(model, "config", None)
    if getattr(config, "position_embedding_type", "absolute") != "absolute":
        return None
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Embedding) and name.split(".")[-1] in ("position_embeddings", "wpe", "embed_positions"):
            # RoBERTa numbers positions from padding_idx + 1 on.
            return module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
    return None


def of_equal_length(encoded):
    """Indices of the rows, grouped by number of tokens, in order of first appearance."""
    groups = {}
    for row, each in enumerate(encoded):
        groups.setdefault(len(each.ids), []).append(row)
    return groups.values()


def chunks(items, size):
    return (items[start : start + size] for start in range(0, len(items), size))


def bytes_of(tensor):
    """Bytes of a tensor, row-major, without NumPy."""
    tensor = tensor.detach().cpu().contiguous()
    return ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size())
