# Enformer beside ChromBPNet on task 4, as an adapter that answers `activity` (docs/adapters.md). It is not part of dart-eval: it
# needs tensorflow, tensorflow_hub, and a GPU to be quick.
#
#   dart-eval run --task chromatin-activity --setting predicted --data peaks=GM12878_peaks.bed ... --model \
#     "stdio:python3 examples/enformer.py --genome hg38.fa --cell-line GM12878 GM12878_peaks.bed GM12878_idr.bed GM12878_nonpeaks.bed"
#
# A run shows a model the 2,114 letters of a window and not where they are from, and Enformer reads 393,216. So the windows are
# looked up in the same three tables that the run is given, and widened in the genome by 195,551 bases to either side. What Enformer
# predicts is log(1 + the sum of the 8 bins of 128 bases in the middle of its 896). Two things differ from the published
# comparison: there reads were counted over those 1,024 bases, here over 1,000 as for every model; and windows near to an end of a
# chromosome were left out, which here are continued with N. To compare on Enformer's own test regions as published, leave out of
# the tables the windows that do not lie wholly in them (bedtools intersect -u -f 1.0), and train ChromBPNet on the same split
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

def letters_of(genome, chrom, start, end):
    inside = genome[chrom][max(start, 0) : max(end, 0)]
    before = min(max(-start, 0), end - start)
    return ("N" * before + inside).ljust(end - start, "N")

def places_of(genome, tables):
    """Where a window's letters are from; of equal windows the first."""
    places = {}
    for table in tables:
        with open_text(table) as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                place = row["chr"], int(row["input_start"]), int(row["input_end"])
                places.setdefault("".join(c if c in "ACGT" else "N" for c in letters_of(genome, *place)), place)
    return places

def load_enformer():
    """A function from 393,216 letters to rows of numbers, one per bin, one number per track."""
    import numpy as np, tensorflow as tf, tensorflow_hub as hub
    model = hub.load("https://tfhub.dev/deepmind/enformer/1").model
    channel = {letter: i for i, letter in enumerate("ACGT")}
    def predict(letters):
        x = np.zeros((1, len(letters), 4), np.float32)
        for at, letter in enumerate(letters):
            if letter in channel: x[0, at, channel[letter]] = 1
        return model.predict_on_batch(tf.constant(x))["human"][0].numpy()
    return predict

def main(words, load=load_enformer):
    parser = argparse.ArgumentParser()
    parser.add_argument("--genome", required=True)
    parser.add_argument("--cell-line", required=True, choices=TRACKS)
    parser.add_argument("tables", nargs="+")
    options = parser.parse_args(words)
    genome, track, predict = read_fasta(options.genome), TRACKS[options.cell_line], load()
    places = places_of(genome, options.tables)

    def activity(letters):
        chrom, start, end = places[letters]
        bins = predict(letters_of(genome, chrom, start - WIDER, end + WIDER))
        return math.log1p(sum(float(bins[i][track]) for i in range(BINS // 2 - 4, BINS // 2 + 4)))

    def answer(request):
        if request["ask"] == "hello":
            return {"protocol": 1, "name": "enformer", "identity": f"enformer 1 {options.cell_line}", "answers": ["activity"], "batchSize": 8}
        return {"values": [activity(letters) for letters in request["sequences"]]}

    for line in sys.stdin:
        request = json.loads(line)
        try: reply = answer(request)
        except Exception as error: reply = {"error": repr(error)[:500]}
        print(json.dumps({"id": request["id"], **reply}), flush=True)

if __name__ == "__main__":
    main(sys.argv[1:])
