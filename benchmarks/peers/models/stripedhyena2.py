"""StripedHyena 2 (Evo 2) by the authors' package vtx, in float32 on the CPU, without FP8."""

from .stripedhyena import SETTINGS, dotdict, model_of

from vortex.model.model import StripedHyena


def load(config, weights, _drop):
    return model_of(StripedHyena(dotdict(config | SETTINGS)), weights, "")
