# A predictor of GAME (schema 1.0 over HTTP) with the setting predicted:
# --model "stdio:python3 examples/adapters/game_server.py http://localhost:8080 K562"
import json, math, sys, urllib.request

from dart_eval_adapter import Refused, serve_functions

server, cell, counted = sys.argv[1].rstrip("/"), sys.argv[2], 1000
TASK = {"name": "activity", "type": "accessibility", "cell_type": cell, "species": "homo_sapiens", "scale": "linear"}

def activity(sequences):
    named = {f"s{i}": sequence for i, sequence in enumerate(sequences)}
    ranges = {key: [(len(s) - counted) // 2, (len(s) + counted) // 2 - 1] for key, s in named.items()}
    body = {"readout": "point", "prediction_tasks": [TASK], "sequences": named, "prediction_ranges": ranges}
    request = urllib.request.Request(f"{server}/predict", json.dumps(body).encode(), {"Content-Type": "application/json"})
    task = json.load(urllib.request.urlopen(request))["prediction_tasks"][0]
    if task.get("scale_prediction_actual", "linear") != "linear": raise Refused("the predictor's scale is not linear")
    values = [task["predictions"][key] for key in named]
    return [math.log1p(value[0] if isinstance(value, list) else value) for value in values]

serve_functions(name=f"game-{cell}", identity=f"{server} {cell}", activity=activity, batch_size=32)
