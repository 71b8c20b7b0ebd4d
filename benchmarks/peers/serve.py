"""Runs the peers: one request per line of JSON on standard input, one response per line on standard output.

{"open": {"family": …, "folder": …, "threads": …}}  opens a checkpoint
{"ids": [[…], …]}                                   runs it once: {"seconds": …, "processorSeconds": …}
{"ids": …, "write": PATH}                           and writes its states and logits, float32, to PATH.states and PATH.logits
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # output of libraries is no response


def open_model(family: str, folder: str, threads: int):
    torch.set_num_threads(threads)
    module = importlib.import_module(f"models.{family.replace('-', '_')}")
    if hasattr(module, "open_folder"):
        return module.open_folder(folder)
    config = json.loads((Path(folder) / "config.json").read_text())
    return module.load(config, load_file(Path(folder) / "model.safetensors"))


def run(model, ids, write=None):
    rows = torch.tensor(ids)
    start, cpu = time.perf_counter(), time.process_time()
    states, logits = model(rows)
    seconds, processor = time.perf_counter() - start, time.process_time() - cpu
    if write is not None:
        for name, values in (("states", states), ("logits", logits)):
            values.float().contiguous().numpy().tofile(f"{write}.{name}")
    return {"seconds": seconds, "processorSeconds": processor}


def main():
    model = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "open" in request:
                model = open_model(**request["open"])
                answer = {"torch": torch.__version__}
            else:
                with torch.inference_mode():
                    answer = run(model, **request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


main()
