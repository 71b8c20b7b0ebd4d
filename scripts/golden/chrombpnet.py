# /// script
# requires-python = "==3.11.*"
# dependencies = ["tensorflow-cpu==2.21.0", "tf_keras==2.21.0", "keras==3.15.1", "numpy==2.4.6"]
# ///
"""ChromBPNet at reduced widths, built and saved by Keras 2 (tf_keras) and by Keras 3, with their predictions.

The models have the layers, names and wiring of kundajelab/chrombpnet, combined ones its Lambda layer; all weights and
biases are random. Writes test/golden/chrombpnet/{bias,chrombpnet,nobias}.keras{2,3}.h5.gz, and predictions.json with
the sequences.
Run as: python scripts/golden/chrombpnet.py
"""

import gzip
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", TF_ENABLE_ONEDNN_OPTS="0")

import numpy as np
import tensorflow as tf

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "chrombpnet"
INPUT, OUTPUT = 300, 120
COUNTS_WEIGHT = 3.5
BIAS_HEADS = (
    "prof_out_precrop",
    "logits_profile_predictions_preflatten",
    "logits_profile_predictions",
    "logcount_predictions",
)
NOBIAS_HEADS = (
    "wo_bias_bpnet_prof_out_precrop",
    "wo_bias_bpnet_logitt_before_flatten",
    "wo_bias_bpnet_logits_profile_predictions",
    "wo_bias_bpnet_logcount_predictions",
)


def bpnet(keras, prefix, heads, filters, dilated, name):
    layers = keras.layers
    sequence = layers.Input(shape=(INPUT, 4), name="sequence")
    state = layers.Conv1D(filters, 21, activation="relu", name=f"{prefix}bpnet_1st_conv")(sequence)
    for i in range(1, dilated + 1):
        conv = layers.Conv1D(filters, 3, dilation_rate=2**i, activation="relu", name=f"{prefix}bpnet_{i}conv")
        crop = layers.Cropping1D(2**i, name=f"{prefix}bpnet_{i}crop")
        state = layers.add([conv(state), crop(state)])
    wide = layers.Conv1D(1, 75, name=heads[0])(state)
    profile = layers.Cropping1D((wide.shape[1] - OUTPUT) // 2, name=heads[1])(wide)
    counts = layers.Dense(1, name=heads[3])(layers.GlobalAveragePooling1D(name="gap")(state))
    return keras.Model([sequence], [layers.Flatten(name=heads[2])(profile), counts], name=name)


def randomise(model, rng):
    scale = lambda shape: 0.7 / np.sqrt(np.prod(shape[:-1])) if len(shape) > 1 else 0.3
    model.set_weights([(scale(w.shape) * rng.normal(size=w.shape)).astype("float32") for w in model.get_weights()])
    return model


def combined(keras, bias, nobias):
    layers = keras.layers
    sequence = layers.Input(shape=(INPUT, 4), name="sequence")
    of_bias, of_nobias = bias(sequence), nobias(sequence)
    profile = layers.Add(name="logits_profile_predictions")([of_nobias[0], of_bias[0]])
    both = layers.Concatenate(axis=-1)([of_nobias[1], of_bias[1]])
    shape = {"output_shape": (1,)} if keras.__name__ == "keras" else {}
    counts = layers.Lambda(
        lambda x: tf.math.reduce_logsumexp(x, axis=-1, keepdims=True), name="logcount_predictions", **shape
    )(both)
    return keras.Model([sequence], [profile, counts])


def sequences():
    """Bases from a linear congruential generator, 5 % of them unknown: codes 0 to 4."""
    state, rows = 1, []
    for _ in range(3):
        row = []
        for _ in range(INPUT):
            state = (state * 1103515245 + 12345) % 2**31
            draw = (state >> 16) % 100
            row.append(4 if draw >= 95 else draw % 4)
        rows.append(row)
    return np.array(rows)


def training(keras, model, x):
    """Three steps of Adam with the bias frozen, as in the original; the loss omits the multinomial coefficient."""
    rng = np.random.default_rng(3)
    counts = rng.poisson(np.linspace(0.1, 4, len(x))[:, None], (len(x), OUTPUT)).astype("float32")
    for layer in model.layers:
        if layer.name not in ("model_wo_bias", "logits_profile_predictions", "logcount_predictions"):
            layer.trainable = False
    profile_loss = lambda true, logits: -tf.reduce_sum(true * tf.nn.log_softmax(logits)) / len(x)
    model.compile(keras.optimizers.Adam(1e-3), loss=[profile_loss, "mse"], loss_weights=[1, COUNTS_WEIGHT])
    log_counts = np.log1p(counts.sum(-1, keepdims=True))
    losses = [float(model.train_on_batch(x, [counts, log_counts])[0]) for _ in range(3)]
    weights = {w.name: w.numpy().ravel()[::7].tolist() for w in model.get_layer("model_wo_bias").trainable_weights}
    return {"counts": counts.astype(int).tolist(), "countsWeight": COUNTS_WEIGHT, "losses": losses, "weights": weights}


def main(version):
    if version == "2":
        import tf_keras as keras
    else:
        import keras
    rng = np.random.default_rng(17)
    bias = randomise(bpnet(keras, "", BIAS_HEADS, 3, 2, None), rng)
    nobias = randomise(bpnet(keras, "wo_bias_", NOBIAS_HEADS, 5, 4, "model_wo_bias"), rng)
    models = {"bias": bias, "nobias": nobias, "chrombpnet": combined(keras, bias, nobias)}
    x = np.eye(5, dtype="float32")[sequences()][..., :4]
    predictions = {}
    for name, model in models.items():
        # The original saves the accessibility network as a new model of its input and outputs.
        saved = model if name != "nobias" else keras.Model(model.inputs, model.outputs)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.h5"
            saved.save(path)
            packed = gzip.compress(path.read_bytes(), 9, mtime=0)
        (OUT / f"{name}.keras{version}.h5.gz").write_bytes(packed)
        logits, log_counts = model.predict(x, verbose=0)
        predictions[name] = {"logits": rounded(logits), "logCounts": rounded(log_counts[:, 0])}
    if version == "2":
        (OUT / "training.json").write_text(json.dumps(training(keras, models["chrombpnet"], x)) + "\n")
    return predictions


def rounded(values):
    return [rounded(row) if row.ndim else float(f"{row:.9g}") for row in values]


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    if len(sys.argv) > 1:
        print(json.dumps(main(sys.argv[1])))
    else:
        import subprocess

        answers = {}
        for version in ("2", "3"):  # one process each: the two libraries share names
            done = subprocess.run([sys.executable, __file__, version], check=True, capture_output=True, text=True)
            answers[version] = json.loads(done.stdout.splitlines()[-1])
        for name, answer in answers["2"].items():
            for kind, values in answer.items():
                np.testing.assert_allclose(values, answers["3"][name][kind], rtol=0, atol=2e-6)
        letters = ["".join("ACGTN"[code] for code in row) for row in sequences()]
        (OUT / "predictions.json").write_text(json.dumps({"sequences": letters, **answers["2"]}) + "\n")
