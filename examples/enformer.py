# Adapter for Enformer on task 4 with `activity` (docs/adapters.md), for comparison with ChromBPNet. Needs tensorflow,
# tensorflow_hub, and a GPU to be fast.
#
#   dart-eval run --task chromatin-activity --setting predicted --data peaks=GM12878_peaks.bed ... --model \
#     "stdio:python3 examples/enformer.py --genome hg38.fa --cell-line GM12878 GM12878_peaks.bed GM12878_idr.bed GM12878_nonpeaks.bed"
#
# A run passes the 2,114 bases of a window without its position, but Enformer's input is 393,216 bases. The adapter therefore
# looks up the window in the run's three tables and extends it in the genome by 195,551 bases on either side. The predicted
# activity is log(1 + the sum of the central 8 of 896 bins of 128 bases). Two differences from the published comparison: reads
# were counted over those 1,024 bases, here over 1,000 as for every model; and windows near the end of a chromosome were
# left out, here they are padded with N. To compare on Enformer's own test regions as published, remove windows that are not
# completely inside them from the tables (bedtools intersect -u -f 1.0), and train ChromBPNet on the same split
# (dart-eval chrombpnet train --fold).
import argparse, csv, gzip, json, math, sys

TRACKS = {"GM12878": 69, "HEPG2": 234, "IMR90": 405, "K562": 121, "H1ESC": 70}  # of the human head
WIDER = (393_216 - 2_114) // 2
BINS = 896

def open_text(path):
    return gzip.open(path, "rt") if path.endswith(".gz") else open(path)

def read_fasta(path):
    chromosomes, name = {}, None
    with open_text(path) as lines:
        for line in lines:
            if line.startswith(">"): chromosomes[name := line[1:].split()[0]] = []
            else: chromosomes[name].append(line.strip().upper())
    return {name: "".join(parts) for name, parts in chromosomes.items()}

def sequence_of(genome, chrom, start, end):
    inside = genome[chrom][max(start, 0) : max(end, 0)]
    before = min(max(-start, 0), end - start)
    return ("N" * before + inside).ljust(end - start, "N")

def positions_of(genome, tables):
    """Positions of the windows by sequence; the first of equal windows."""
    positions = {}
    for table in tables:
        with open_text(table) as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                position = row["chr"], int(row["input_start"]), int(row["input_end"])
                positions.setdefault("".join(c if c in "ACGT" else "N" for c in sequence_of(genome, *position)), position)
    return positions

def load_enformer():
    """A function from 393,216 bases to predictions [bins, tracks]."""
    import numpy as np, tensorflow as tf, tensorflow_hub as hub
    model = hub.load("https://tfhub.dev/deepmind/enformer/1").model
    channel = {base: i for i, base in enumerate("ACGT")}
    def predict(sequence):
        x = np.zeros((1, len(sequence), 4), np.float32)
        for i, base in enumerate(sequence):
            if base in channel: x[0, i, channel[base]] = 1
        return model.predict_on_batch(tf.constant(x))["human"][0].numpy()
    return predict

def main(arguments, load=load_enformer):
    parser = argparse.ArgumentParser()
    parser.add_argument("--genome", required=True)
    parser.add_argument("--cell-line", required=True, choices=TRACKS)
    parser.add_argument("tables", nargs="+")
    options = parser.parse_args(arguments)
    genome, track, predict = read_fasta(options.genome), TRACKS[options.cell_line], load()
    positions = positions_of(genome, options.tables)

    def activity(sequence):
        chrom, start, end = positions[sequence]
        bins = predict(sequence_of(genome, chrom, start - WIDER, end + WIDER))
        return math.log1p(sum(float(bins[i][track]) for i in range(BINS // 2 - 4, BINS // 2 + 4)))

    def answer(request):
        if request["ask"] == "hello":
            return {"protocol": 1, "name": "enformer", "identity": f"enformer 1 {options.cell_line}", "answers": ["activity"], "batchSize": 8}
        return {"values": [activity(sequence) for sequence in request["sequences"]]}

    for line in sys.stdin:
        request = json.loads(line)
        try: reply = answer(request)
        except Exception as error: reply = {"error": repr(error)[:500]}
        print(json.dumps({"id": request["id"], **reply}), flush=True)

if __name__ == "__main__":
    main(sys.argv[1:])
