# /// script
# requires-python = "==3.11.*"
# dependencies = ["h5py==3.16.0", "numpy==2.4.6"]
# ///
"""Small HDF5 files: element types and filters with their values in h5py, and arrays with data in other files.

Writes test/golden/hdf5/*.h5 and expected.json. Run as: python scripts/golden/hdf5_files.py
"""

import json
from pathlib import Path

import h5py
import numpy as np

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "hdf5"

NUMBERS = [1, -2, 100]
CONFIG = json.dumps(
    {
        "class_name": "Functional",
        "config": {
            "layers": [{"class_name": "Dense", "name": "dense", "config": {"name": "dense"}, "inbound_nodes": []}],
            "output_layers": [["dense", 0, 0]],
        },
    }
)


def integer(base, precision, offset=0):
    kind = base.copy()
    kind.set_precision(precision)
    kind.set_offset(offset)
    return kind


def real(base, fields, precision, bias):
    kind = base.copy()
    kind.set_fields(*fields)
    kind.set_precision(precision)
    kind.set_ebias(bias)
    return kind


def low_level(file, name, kind, values):
    """A dataset of a type that NumPy lacks; the library converts the values."""
    space = h5py.h5s.create_simple((len(values),))
    array = h5py.h5d.create(file.id, name.encode(), kind, space)
    array.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array(values))


def types(path, libver):
    readable = {}
    with h5py.File(path, "w", libver=libver) as file:
        for code in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]:
            for order, name in [("<", "little"), (">", "big")]:
                values = np.abs(NUMBERS) if code[0] == "u" else np.array(NUMBERS)
                readable[f"{name}/{code}"] = values.tolist()
                file.create_dataset(f"{name}/{code}", data=values.astype(f"{order}{code}"))
        # NumPy has one order for bytes: a big-endian byte comes from other writers.
        for name, kind in [("big/i1_be", h5py.h5t.STD_I8BE), ("big/u1_be", h5py.h5t.STD_U8BE)]:
            values = NUMBERS if kind is h5py.h5t.STD_I8BE else [1, 2, 200]
            readable[name] = values
            low_level(file, name, kind, values)
        file.create_dataset("one", data=np.float32(2.5))
        readable["one"] = 2.5
        file["committed_type"] = np.dtype(">f4")
        file.create_dataset("committed", data=np.array(NUMBERS), dtype=file["committed_type"])
        readable["committed"] = NUMBERS
        for name, options in {
            "gzip": {"compression": "gzip"},
            "shuffled": {"compression": "gzip", "shuffle": True, "fletcher32": True},
            "scaled": {"scaleoffset": 0},
        }.items():
            file.create_dataset(name, data=np.array(NUMBERS, "<i4"), chunks=(2,), **options)
            readable[name] = NUMBERS
        file.create_group("refused")
        # Refused: these would be misread or cannot be read.
        low_level(file, "refused/precision_17", integer(h5py.h5t.STD_I32LE, 17), [1, -2, 300])
        low_level(file, "refused/offset_8", integer(h5py.h5t.STD_I32LE, 16, 8), NUMBERS)
        low_level(file, "refused/big_precision_12", integer(h5py.h5t.STD_I16BE, 12), NUMBERS)
        low_level(file, "refused/three_bytes", sized(h5py.h5t.STD_I32LE, 3), NUMBERS)
        bfloat16 = real(h5py.h5t.IEEE_F16LE, (15, 7, 8, 0, 7), 16, 127)
        low_level(file, "refused/bfloat16", bfloat16, [1.0, -2.0, 100.0])
        low_level(file, "refused/bias", real(h5py.h5t.IEEE_F32LE, (31, 23, 8, 0, 23), 32, 100), [1.0, -2.0, 100.0])
        n_bit = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        n_bit.set_chunk((3,))
        n_bit.set_filter(h5py.h5z.FILTER_NBIT)
        array = h5py.h5d.create(
            file.id, b"refused/nbit", integer(h5py.h5t.STD_I32LE, 17), h5py.h5s.create_simple((3,)), n_bit
        )
        array.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1, -2, 300]))
        file.create_dataset("refused/text", data=["A", "B"])
        file.create_dataset("refused/boolean", data=np.array([True, False]))
        file.create_dataset("refused/pair", data=np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]))
        file.create_dataset("refused/complex", data=np.array([1 + 2j]))
        file.create_dataset("refused/nothing", data=h5py.Empty("f4"))
        file.create_dataset("refused/lzf", data=np.zeros(64, "<f4"), chunks=(64,), compression="lzf")
    return readable


def sized(base, size):
    kind = base.copy()
    kind.set_precision(8 * size)
    kind.set_size(size)
    return kind


def create(file, name, shape, dtype, how):
    parts = name.rsplit("/", 1)
    group = file.require_group(parts[0]) if len(parts) > 1 else file
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if how == "external storage":
        group.create_dataset(parts[-1], shape, dtype, external=[("/etc/passwd", 0, count)])
    elif how == "virtual":
        layout = h5py.VirtualLayout(shape, dtype)
        layout[:] = h5py.VirtualSource("other.h5", name, shape, dtype)
        group.create_virtual_dataset(parts[-1], layout)
    else:
        group[parts[-1]] = h5py.ExternalLink("other.h5", name)


def elsewhere(path, how, libver="earliest"):
    """The layouts of a Keras model, of stored embeddings and of data.h5, with their data in other files."""
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs["model_config"] = CONFIG
        create(file, "model_weights/dense/dense/kernel:0", (2, 3), "<f4", how)
        create(file, "seq/emb_0_2", (2, 3, 4), "<f4", how)
        file["seq/idx_fix"] = np.array([0, 3], "<i8")
        create(file, "test/seqs", (2, 3, 4), "u1", how)
        create(file, "test/ctrls", (2, 3, 4), "u1", how)
        file["test/idxs"] = np.array([0, 1], "<i8")


def other(path):
    """Target of the links and virtual arrays."""
    with h5py.File(path, "w") as file:
        file["model_weights/dense/dense/kernel:0"] = np.full((2, 3), 7, "<f4")
        file["seq/emb_0_2"] = np.full((2, 3, 4), 7, "<f4")
        one_hot = np.zeros((2, 3, 4), "u1")
        one_hot[:, :, 0] = 1
        file["test/seqs"] = one_hot
        file["test/ctrls"] = one_hot


def half(path):
    """The same layouts in float16."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = CONFIG
        file["model_weights/dense/dense/kernel:0"] = np.array([[0.5, -1.25, 2]], "<f2")
        file["seq/emb_0_1"] = np.array([[[0.5], [-1.25], [2]]], "<f2")
        file["seq/idx_fix"] = np.array([0, 3], "<i8")
        file["K562/test/peaks/seqs"] = np.eye(4, dtype="u1").reshape(1, 4, 4).repeat(2, 0)
        file["K562/test/peaks/counts"] = np.array([0.5, 6.25], "<f2")
        file["K562/test/peaks/idxs"] = np.array([0, 1], "<i8")


def links(path):
    with h5py.File(path, "w") as file:
        file["here/array"] = np.array(NUMBERS, "<f4")
        file["soft"] = h5py.SoftLink("/here/array")
        file["here/relative"] = h5py.SoftLink("array")
        file["group"] = h5py.SoftLink("here")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["loop"] = h5py.SoftLink("/loop")
        file["out"] = h5py.ExternalLink("other.h5", "/seq")
        file["soft_out"] = h5py.SoftLink("/out/emb_0_2")


OUT.mkdir(parents=True, exist_ok=True)
expected = types(OUT / "types-v1.h5", "earliest")
types(OUT / "types-v2.h5", "latest")
elsewhere(OUT / "external-storage.h5", "external storage")
elsewhere(OUT / "virtual.h5", "virtual")
elsewhere(OUT / "external-link.h5", "external link", "latest")
other(OUT / "other.h5")
half(OUT / "half.h5")
links(OUT / "links.h5")
(OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
