"""Hits of motifs by FIMO's own code, for random motifs in random sequences and for HOCOMOCO on real sequence.

Writes test/golden/motifs/fimo.json: 24 random motifs of 6 to 30 positions, some of few sites, some with absent
bases, 40 sequences with planted sites and unknown bases, every hit at p <= 1e-4 on both strands with score and p-value;
and, given the folder of real test data as argument, the number of hits of each of 1,443 motifs in 60 kb of its chr20 at
1e-4 and at 1e-5, a digest of their positions, and the sums of scores and of log10 p. Made with Python 3.11 and
    numpy 1.26.4, pymemesuite 0.1.0a4 (which is built from the MEME suite 5.4.1)
Run from the repository's root.
"""

import gzip
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pymemesuite
from pymemesuite.common import Background, MotifFile, Sequence
from pymemesuite.fimo import FIMO

assert (np.__version__, pymemesuite.__version__) == ("1.26.4", "0.1.0-a4")


def scan(meme, sequences, threshold):
    """(motif, sequence, start, strand, score, p) of every hit; start is 0-based."""
    fimo = FIMO(both_strands=True, threshold=threshold, max_stored_scores=10**6)
    # This version skips the last position of a sequence (FIMO does not), so append one that is no base.
    named = [Sequence(letters + "N", name=str(i).encode()) for i, letters in enumerate(sequences)]
    hits = []
    motifs = MotifFile(meme, symmetrical=True)
    for number, motif in enumerate(motifs):
        for found in fimo.score_motif(motif, named, motifs.background).matched_elements:
            start = min(found.start, found.stop) - 1
            sequence = int(found.source.accession)
            hits.append([number, sequence, start, found.strand, found.score, found.pvalue])
    return sorted(hits, key=lambda hit: (hit[1], hit[2], hit[0], hit[3]))


def digest(hits):
    """Digest of motif, position and strand of every hit."""
    lines = "".join(f"{motif}\t{start}\t{strand}\n" for motif, _, start, strand, _, _ in hits)
    return hashlib.sha256(lines.encode()).hexdigest()


def meme_text(motifs):
    blocks = []
    for i, (rows, sites) in enumerate(motifs):
        lines = "\n".join(" ".join(f"{p:.6f}" for p in row) for row in rows)
        blocks.append(
            f"MOTIF random{i}\nletter-probability matrix: alength= 4 w= {len(rows)} nsites= {sites}\n{lines}\n"
        )
    return "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\n" + "\n".join(blocks) + "\n"


rng = np.random.default_rng(8)
motifs = []
for i in range(24):
    width = [6, 7, 8, 10, 12, 13, 17, 18, 24, 30][i % 10]
    counts = rng.dirichlet(np.full(4, 0.15 + 0.1 * (i % 3)), width)
    if i % 4 == 0:
        counts[counts < 0.05] = 0
    rows = np.round(counts / counts.sum(1, keepdims=True), 6)
    motifs.append((rows, [5, 40, 300, 2000][i % 4]))
sequences = []
for i in range(40):
    letters = rng.choice(list("ACGT"), 300 + 10 * i, p=[0.3, 0.2, 0.2, 0.3])
    for _ in range(8):
        rows, _ = motifs[rng.integers(len(motifs))]
        at = rng.integers(0, len(letters) - len(rows))
        letters[at : at + len(rows)] = ["ACGT"[int(rng.choice(4, p=row / row.sum()))] for row in rows]
    if i % 5 == 0:
        letters[rng.integers(0, len(letters), 3)] = "N"
    sequences.append("".join(letters))
# One motif at the start and one at the end of a sequence.
for at, (rows, _) in ((0, motifs[3]), (-1, motifs[9])):
    best = "".join("ACGT"[int(np.argmax(row))] for row in rows)
    sequences[at] = best + sequences[at] if at == 0 else sequences[at] + best

text = meme_text(motifs)
with tempfile.NamedTemporaryFile("w", suffix=".meme") as file:
    file.write(text)
    file.flush()
    hits = scan(file.name, sequences, 1e-4)
golden = {"meme": text, "sequences": sequences, "threshold": 1e-4, "hits": hits}

if len(sys.argv) > 1:
    data = Path(sys.argv[1])
    with gzip.open(data / "genome/mini.hg38.fa.gz", "rt") as file:
        pieces = file.read().split(">")
    letters = next("".join(p.split("\n")[1:]) for p in pieces if p.startswith("chr20"))[:60_000].upper()
    with tempfile.NamedTemporaryFile("wb", suffix=".meme") as file:
        file.write(gzip.open(data / "task2/H12CORE_meme_format.meme.gz").read())
        file.flush()
        golden["hocomoco"] = {"chrom": "chr20", "start": 0, "end": 60_000, "thresholds": {}}
        for threshold in (1e-4, 1e-5):
            found = scan(file.name, [letters], threshold)
            counts = np.zeros(1443, int)
            np.add.at(counts, [hit[0] for hit in found], 1)
            golden["hocomoco"]["thresholds"][str(threshold)] = {
                "hits": counts.tolist(),
                "digest": digest(found),
                "scores": float(sum(hit[4] for hit in found)),
                "log10P": float(sum(np.log10(hit[5]) for hit in found)),
            }
            print(threshold, len(found))
print(len(hits))
Path("test/golden/motifs/fimo.json").write_text(json.dumps(golden))
