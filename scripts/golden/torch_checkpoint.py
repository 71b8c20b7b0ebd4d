# /// script
# requires-python = "==3.11.*"
# dependencies = ["torch==2.15.0", "numpy==2.4.6", "safetensors==0.8.0"]
# ///
"""Small files of torch.save with their values in PyTorch.

Writes test/golden/torch/*.bin and expected.json. Run as: python scripts/golden/torch_checkpoint.py
"""

import base64
import hashlib
import json
import pickle
import sys
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "torch"

grid = torch.arange(12, dtype=torch.float32).reshape(3, 4) / 8 - 0.5


def element_types():
    floats = [torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2]
    ints = [torch.int64, torch.int8, torch.uint8, torch.uint16]
    tensors = {str(t).removeprefix("torch."): grid.to(t) for t in floats}
    tensors |= {str(t).removeprefix("torch."): torch.tensor([0, 1, 100], dtype=t) for t in ints}
    tensors["bool"] = torch.tensor([[True], [False]])
    tensors["float32"] = grid
    tensors["scalar"] = torch.tensor(2.5)
    tensors["empty"] = torch.empty(0, 4)
    return tensors


def views():
    return OrderedDict(
        transposed=grid.t(),
        middle_rows=grid[1:3],
        every_other_column=grid[:, ::2],
        permuted=torch.arange(12, dtype=torch.float32).reshape(2, 3, 2).permute(2, 0, 1),
        repeated=torch.tensor([1.0, 2.0]).expand(3, 2),
        transposed_half=grid.half().t(),
    )


def shared():
    embedding = torch.arange(10, dtype=torch.float32).reshape(5, 2)
    return {"embedding.weight": embedding, "decoder.weight": embedding, "last_row": embedding[4]}


def nested():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 3))
    state = module.state_dict()
    state["extra"] = torch.nn.Parameter(torch.tensor([1.0, -1.0]))
    tagged = torch.nn.Parameter(torch.tensor([0.25]))
    tagged._optim = {"lr": 0.1}  # HyenaDNA marks its parameters like this
    state["tagged"] = tagged
    state["inner"] = OrderedDict(buffer=torch.tensor([7, 8]))
    return {"epoch": 3, "lr": 1e-3, "done": True, "note": None, "shape": grid.shape, "state_dict": state}


CASES = {
    "element-types": (element_types(), {}),
    "views": (views(), {}),
    "shared": (shared(), {}),
    "nested": (nested(), {}),
    "protocol-4": ({"grid": grid}, {"pickle_protocol": 4}),
}


def flat(value, prefix=""):
    for key, inner in value.items():
        if isinstance(inner, torch.Tensor):
            yield f"{prefix}{key}", inner.detach()
        elif isinstance(inner, dict):
            yield from flat(inner, f"{prefix}{key}.")


def numbers(tensor):
    wide = tensor.float() if tensor.is_floating_point() else tensor.to(torch.int64)
    return wide.flatten().tolist()


def describe(path):
    loaded = torch.load(path, weights_only=False)  # made above; protocol 4 is outside weights_only
    return {
        name: {
            "dtype": str(t.dtype).removeprefix("torch."),
            "shape": list(t.shape),
            "contiguous": t.is_contiguous(),
            "values": numbers(t),
        }
        for name, t in flat(loaded.get("state_dict", loaded))
    }


def every_value(dtype, integer):
    """SHA-256 of the float32 bytes of all values of a type, in order of their bits; every NaN as 0x7fc00000."""
    bits = 8 * dtype.itemsize
    low = -(2 ** (bits - 1))
    patterns = torch.arange(2**bits, dtype=torch.int64)
    signed = torch.where(patterns >= -low, patterns - 2**bits, patterns).to(integer)
    wide = signed.view(dtype).float()
    wide[wide.isnan()] = torch.nan
    return hashlib.sha256(wide.numpy().tobytes()).hexdigest()


def pickles():
    """Plain values in each protocol. Protocols before 3 need a function for bytes, and before 4 for sets."""
    word = "x" * 20
    value = {
        "integers": [0, 255, 256, 65535, 65536, -1, 2**31 - 1, -(2**31), 2**40, -(2**40), 2**53 - 1],
        "beyond": [2**63, -(2**70)],
        "floats": [0.5, -1e300],
        "texts": ["", "caf\u00e9", word, word],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, (4,))],
        "words": [None, True, False],
        "empty": [[], {}],
        "ordered": OrderedDict(b=1, a=2),
        7: "seven",
    }
    extra = {2: {}, 3: {"bytes": b"\x00\xff"}, 4: {"bytes": b"\x00\xff", "set": {3}, "frozen": frozenset([4])}}
    return {p: base64.b64encode(pickle.dumps(value | extra[p], p)).decode() for p in extra}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    expected = {"torch": torch.__version__, "files": {}}
    for name, (value, options) in CASES.items():
        path = OUT / f"{name}.bin"
        torch.save(value, path, **options)
        expected["files"][path.name] = describe(path)
    torch.save({"a": grid}, OUT / "before-1.6.bin", _use_new_zipfile_serialization=False)
    rust = OUT / "rust.safetensors"
    save_file({"grid": grid, "half": grid.half(), "ids": torch.tensor([3, 1])}, rust, {"by": "rust"})
    rust.chmod(0o644)
    expected["everyValue"] = {
        "float16": every_value(torch.float16, torch.int16),
        "bfloat16": every_value(torch.bfloat16, torch.int16),
        "float8_e4m3fn": every_value(torch.float8_e4m3fn, torch.int8),
        "float8_e5m2": every_value(torch.float8_e5m2, torch.int8),
    }
    expected["pickles"] = pickles()
    (OUT / "expected.json").write_text(json.dumps(expected) + "\n")
    print(sum(f.stat().st_size for f in OUT.iterdir()), "bytes", file=sys.stderr)


main()
