"""python3 -m dart_eval_adapter ORG/NAME: serves a checkpoint that transformers can load without its own code."""

import argparse

from . import serve


def main():
    parser = argparse.ArgumentParser(prog="python3 -m dart_eval_adapter", description="Serves a checkpoint to dart-eval.")
    parser.add_argument("model", help="repository on the Hugging Face hub, or folder")
    parser.add_argument("--kind", choices=["masked", "causal"], help="default: from config.json")
    parser.add_argument("--name", help="name in results (default: MODEL)")
    parser.add_argument("--revision", help="branch, tag or commit of the repository")
    parser.add_argument("--device", help="torch device (default: cuda if available, else cpu)")
    parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], default="float32")
    parser.add_argument("--batch-size", type=int, default=64, help="rows per forward pass (default: 64)")
    parser.add_argument("--max-tokens", type=int, help="maximum tokens of a sequence")
    options = vars(parser.parse_args())
    serve(options.pop("model"), **options)


main()
