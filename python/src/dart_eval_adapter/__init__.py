"""Serves models of DNA to dart-eval over standard input and output (protocol version 1, docs/adapters.md of dart-eval)."""

from .protocol import Refused, serve_functions

__version__ = "0.1.0"
__all__ = ["Refused", "serve", "serve_functions"]


def serve(model, tokenizer=None, **options):
    """Serves a PyTorch language model; see `dart_eval_adapter.language_model.serve`. Imports torch."""
    from .language_model import serve as serve_language_model

    serve_language_model(model, tokenizer, **options)
