"""The adapter protocol: one request per line of JSON on standard input, one response per line on standard output."""

import base64
import json
import math
import os
import sys
import time
import traceback

PROTOCOL = 1
# Maximum length of a response that dart-eval reads, in bytes.
MAX_RESPONSE_BYTES = 2**28
# Optional entries of the response to hello: argument of serve_functions -> key.
FACTS = {
    "kind": "kind",
    "tokens": "tokens",
    "width": "width",
    "batch_size": "batchSize",
    "score_rounding": "scoreRounding",
    "longest_sequence": "longestSequence",
    "seconds_per_answer": "secondsPerAnswer",
}


class Refused(ValueError):
    """A request that the model cannot serve; dart-eval prints the message and stops."""


def serve_functions(*, name, identity, log_likelihood=None, alleles=None, embeddings=None, activity=None, **facts):
    """Serves functions until standard input closes. At least one function is required.

    name            name of the model in results
    identity        text that changes whenever an output may change: weights, revision, dtype, settings
    log_likelihood  list of n sequences -> n log-likelihoods, nats
    alleles         list of n pairs of sequences -> n pairs of log-likelihoods, nats
    embeddings      list of n sequences -> n tuples (states, starts, ends): states is a list of rows, one per token, or
                    (bytes of little-endian float32 rows, width); token i covers bases starts[i] to ends[i], 0-based, end
                    excluded, and special tokens have 0 and 0
    activity        list of n sequences, with N for unknown bases -> n predicted activities, ln(1 + reads)
    facts           kind, tokens, width, batch_size, score_rounding, longest_sequence, seconds_per_answer, as in
                    docs/adapters.md

    A function may raise `Refused`. While functions run, `print` writes to standard error.
    """
    functions = {"log-likelihood": log_likelihood, "alleles": alleles, "embeddings": embeddings, "activity": activity}
    functions = {request: function for request, function in functions.items() if function is not None}
    if not functions:
        raise TypeError("serve_functions: no function given; pass log_likelihood, alleles, embeddings or activity")
    unknown = facts.keys() - FACTS.keys()
    if unknown:
        raise TypeError(f"serve_functions: unknown arguments {', '.join(sorted(unknown))}; known: {', '.join(FACTS)}")
    described = {FACTS[key]: value for key, value in facts.items() if value is not None}
    hello = {"protocol": PROTOCOL, "name": name, "identity": identity, "answers": list(functions), **described}
    responses = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        response = _line(request["id"], _answer(request, hello, functions))
        if len(response) >= MAX_RESPONSE_BYTES:
            why = f"the response has {len(response)} bytes, at most {MAX_RESPONSE_BYTES} are read: use a smaller batch_size"
            response = _line(request["id"], {"error": why})
        responses.write(response)
        responses.flush()


def _line(number, answer):
    """A response as bytes. Embeddings are JSON already: json.dumps would search their base64 for characters to escape."""
    if "embeddings" not in answer:
        return _json({"id": number, **answer}) + b"\n"
    return b"".join((b'{"id":', _json(number), b',"embeddings":[', b",".join(answer["embeddings"]), b"]}\n"))


def _json(value):
    return json.dumps(value, separators=(",", ":")).encode()


def _answer(request, hello, functions):
    asked = request["ask"]
    try:
        if asked == "hello":
            return hello
        if asked not in functions:
            raise Refused(f"{asked} is not served; served: {', '.join(functions)}")
        given = request["pairs" if asked == "alleles" else "sequences"]
        results = list(functions[asked](given))
        if len(results) != len(given):
            raise Refused(f"the function for {asked} returned {len(results)} results for {len(given)} inputs")
        if asked == "embeddings":
            return {"embeddings": [_embedding(*result) for result in results]}
        if asked == "alleles":
            return {"values": [[_number(value) for value in pair] for pair in results]}
        return {"values": [_number(value) for value in results]}
    except Refused as error:
        return {"error": str(error)}
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"[:2000]}


def _number(value):
    """A float that JSON can hold: None for NaN and infinity."""
    value = float(value)
    return value if math.isfinite(value) else None


def _embedding(states, starts, ends):
    """An entry of the response to embeddings, as JSON in bytes."""
    tokens = _json({"starts": list(starts), "ends": list(ends)})
    if isinstance(states, tuple):
        values, width = states
        return b"".join((b'{"states":"', base64.b64encode(values), b'","width":', _json(width), b",", tokens[1:]))
    return b'{"states":' + _json([[_number(value) for value in row] for row in states]) + b"," + tokens[1:]


class Progress:
    """Prints progress of a long request to standard error, at most every `seconds`."""

    def __init__(self, title, total, seconds=10.0):
        self.title, self.total, self.seconds = title, total, seconds
        self.done, self.printed = 0, time.monotonic()

    def add(self, count):
        self.done += count
        if self.done == self.total or time.monotonic() - self.printed < self.seconds:
            return
        self.printed = time.monotonic()
        print(f"{self.title}: {self.done} of {self.total} rows", file=sys.stderr, flush=True)
