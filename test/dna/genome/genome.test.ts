import { copyFile, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { InputError } from "../../../src/base/errors.ts";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { parseFastaIndex } from "../../../src/dna/genome/fasta-index.ts";
import { genomeInMemory, openGenome } from "../../../src/dna/genome/genome.ts";
import { scratchFiles } from "../../scratch-files.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";
import { bgzip } from "./bgzip-writer.ts";

const folder = scratchFiles();
process.env.DART_EVAL_CACHE = folder.path("cache");

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

const refusal = async (attempt: Promise<unknown>): Promise<string> => {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof InputError)) throw error ?? new Error("expected an error");
  return error.describe();
};

/** A 2bit file with one sequence, chr1, of 8 bases T, and blocks of N: their starts, then their lengths. */
function twoBit(stretches: readonly number[]): Uint8Array {
  const name = Buffer.from("chr1");
  const numbers = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);
  const index = Buffer.concat([Buffer.from([name.length]), name, numbers(16 + 1 + name.length + 4)]);
  const record = numbers(8, stretches.length / 2, ...stretches, 0, 0);
  return Buffer.concat([numbers(0x1a412743, 0, 1, 0), index, record, Buffer.alloc(2)]);
}

interface Fetch {
  readonly chrom: string;
  readonly start: number;
  readonly end: number;
  readonly returned_length?: number;
  readonly sha256?: string;
  readonly seq?: string;
}

interface Fasta {
  readonly sequences: Readonly<Record<string, number>>;
  readonly sha256_upper?: string;
  readonly fetch: readonly Fetch[];
}

describe("real genomes", () => {
  testWithSharedData(
    "the chromosomes of a bgzip genome have the published digests",
    "genome/mini.hg38.fa.gz",
    async (path) => {
      await using genome = await openGenome(path);
      const [head, ...rows] = (await readFile(sharedData("genome/pieces.tsv")!, "utf8"))
        .trimEnd()
        .split("\n");
      const column = (row: string, name: string) => row.split("\t")[head.split("\t").indexOf(name)];
      expect([...genome.chromosomes]).toEqual(
        rows.map((row) => [column(row, "name"), Number(column(row, "length"))]),
      );
      for (const row of rows) {
        expect(sha256Hex(await genome.chromosome(column(row, "name")))).toBe(column(row, "sha256_uppercase"));
      }
      expect(rows).toHaveLength(5);
    },
  );

  testWithSharedData(
    "windows equal samtools faidx, with N beyond the end",
    "formats/expected.json",
    async (path) => {
      const expected = JSON.parse(await readFile(path, "utf8")).fasta as Record<string, Fasta>;
      let compared = 0;
      for (const [file, { sequences, fetch, sha256_upper }] of Object.entries(expected)) {
        await using genome = await openGenome(sharedData(file) ?? sharedData(`formats/${file}`)!);
        expect(Object.fromEntries(genome.chromosomes)).toEqual(sequences);
        for (const { chrom, start, end, returned_length, seq } of fetch) {
          const letters = await genome.sequence({ chrom, start, end });
          expect(letters).toHaveLength(end - start);
          expect(letters.slice(returned_length ?? end - start)).toMatch(/^N*$/);
          if (seq !== undefined) expect(letters.slice(0, seq.length)).toBe(seq.toUpperCase());
          expect(letters).toBe(await wholeWindow(genome.chromosome(chrom), start, end));
          compared++;
        }
        if (sha256_upper) expect(sha256Hex(await genome.chromosome("q"))).toBe(sha256_upper);
      }
      expect(compared).toBe(58);
    },
  );

  testWithSharedData(
    "a 2bit genome equals the output of UCSC's tools",
    "formats/twobit/test.2bit",
    async (path) => {
      const expected = JSON.parse(await readFile(sharedData("formats/expected.json")!, "utf8")).twobit[
        "twobit/test.2bit"
      ];
      await using genome = await openGenome(path);
      expect([...genome.chromosomes.keys()].sort()).toEqual(Object.keys(expected).sort());
      for (const [name, { length, first60, last60, sha256_upper }] of Object.entries<Record<string, never>>(
        expected,
      )) {
        expect(genome.chromosomes.get(name)).toBe(length);
        expect(await genome.sequence({ chrom: name, start: 0, end: 60 })).toBe(String(first60).toUpperCase());
        expect(await genome.sequence({ chrom: name, start: length - 60, end: length + 2 })).toBe(
          `${String(last60).toUpperCase()}NN`,
        );
        expect(sha256Hex(await genome.chromosome(name))).toBe(sha256_upper);
      }
    },
  );

  testWithSharedData(
    "created indexes equal those of samtools and bgzip",
    "genome/mini.hg38.fa.gz",
    async (path) => {
      const copy = folder.path("copy.fa.gz");
      await copyFile(path, copy);
      await using genome = await openGenome(copy);
      expect(genome.chromosomes.size).toBe(5);
      expect(await readFile(`${copy}.fai`)).toEqual(await readFile(`${path}.fai`));
      expect(await readFile(`${copy}.gzi`)).toEqual(await readFile(`${path}.gzi`));
    },
  );

  testWithSharedData(
    "2bit, FASTA and compressed FASTA of a genome have the same digest",
    "formats/twobit/test.2bit",
    async (path) => {
      await using twoBit = await openGenome(path);
      const records: string[] = [];
      for (const name of [...twoBit.chromosomes.keys()].sort()) {
        records.unshift(
          `>${name} as text\r\n${latin1(await twoBit.chromosome(name))
            .toLowerCase()
            .replaceAll(/.{70}/g, "$&\r\n")}\r\n`,
        );
      }
      const text = Buffer.from(records.join(""));
      await using plain = await openGenome(await folder.write("two.fa", text));
      await using compressed = await openGenome(await folder.write("two.fa.gz", bgzip(text, 1000)));
      expect(await plain.digest()).toBe(await twoBit.digest());
      expect(await compressed.digest()).toBe(await twoBit.digest());
    },
  );
});

async function wholeWindow(letters: Promise<Uint8Array>, start: number, end: number): Promise<string> {
  return latin1((await letters).subarray(start, end)).padEnd(end - start, "N");
}

const SMALL = ">chr1 first\nACGTN\nacgtn\nRY\n>chrM\nGGGG\n";

describe("any FASTA file", () => {
  test("sequences are upper case, with N off the chromosome on both sides", async () => {
    await using genome = await openGenome(await folder.write("small.fa", SMALL));
    expect(Object.fromEntries(genome.chromosomes)).toEqual({ chr1: 12, chrM: 4 });
    const letters = (start: number, end: number) => genome.sequence({ chrom: "chr1", start, end });
    expect(await letters(-3, 15)).toBe("NNNACGTNACGTNRYNNN");
    expect(await letters(4, 7)).toBe("NAC");
    expect(await letters(-9, -4)).toBe("NNNNN");
    expect(await letters(12, 14)).toBe("NN");
    expect(await letters(900, 902)).toBe("NN");
    await genome.chromosome("chr1");
    expect(await letters(-3, 15)).toBe("NNNACGTNACGTNRYNNN");
  });

  test("any line layout gives the same sequences, plain and compressed, whole and in windows", async () => {
    let n = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom(..."ACGTNacgtn"), minLength: 1, maxLength: 400 }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.integer({ min: 1, max: 90 }),
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        fc.boolean(),
        async (sequences, width, lineEnd, lastLineEnd, compressed) => {
          const wrapped = (letters: string) => letters.match(new RegExp(`.{1,${width}}`, "g"))!.join(lineEnd);
          const text = sequences.map((letters, i) => `>s${i} x y${lineEnd}${wrapped(letters)}`).join(lineEnd);
          const bytes = Buffer.from(lastLineEnd ? text + lineEnd : text);
          await using genome = await openGenome(
            await folder.write(`layout-${n++}.fa`, compressed ? bgzip(bytes, 128) : bytes),
          );
          expect(genome.chromosomes.size).toBe(sequences.length);
          for (const [i, letters] of sequences.entries()) {
            const upper = letters.toUpperCase();
            const start = Math.floor(upper.length / 3);
            expect(await genome.sequence({ chrom: `s${i}`, start, end: upper.length })).toBe(
              upper.slice(start),
            );
            expect(latin1(await genome.chromosome(`s${i}`))).toBe(upper);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each([" ", "\t", "  \r", " \t "])("ignores %j at the end of lines", async (blanks) => {
    for (const lines of ["every", "the last"]) {
      const text =
        lines === "every" ? SMALL.replaceAll("\n", `${blanks}\n`) : SMALL.replace(/\n$/, `${blanks}\n\n`);
      const path = await folder.write("blanks.fa", text);
      for (const index of ["made", "read"]) {
        if (index === "made") await rm(`${path}.fai`, { force: true });
        await using genome = await openGenome(path);
        expect(Object.fromEntries(genome.chromosomes)).toEqual({ chr1: 12, chrM: 4 });
        expect(latin1(await genome.chromosome("chr1"))).toBe("ACGTNACGTNRY");
        expect(await genome.sequence({ chrom: "chrM", start: 1, end: 4 })).toBe("GGG");
      }
    }
  });

  test("a sequence may be named like a property of Object.prototype", async () => {
    const text = ">__proto__\nACGT\n>constructor\nGGCC\n";
    for (const data of [text, bgzip(Buffer.from(text))]) {
      const path = await folder.write("proto.fa", data);
      await rm(`${path}.fai`, { force: true });
      await using genome = await openGenome(path);
      expect(await genome.sequence({ chrom: "__proto__", start: 1, end: 3 })).toBe("CG");
      expect(latin1(await genome.chromosome("constructor"))).toBe("GGCC");
    }
  });

  test("a sequence without bases is empty", async () => {
    await using genome = await openGenome(await folder.write("empty.fa", ">a\n>b\nAC\n>c\n"));
    expect(Object.fromEntries(genome.chromosomes)).toEqual({ a: 0, b: 2, c: 0 });
    expect(await genome.chromosome("a")).toHaveLength(0);
    expect(await genome.sequence({ chrom: "c", start: 0, end: 2 })).toBe("NN");
  });

  test("creates an index once and then reads it", async () => {
    const path = await folder.write("once.fa", SMALL);
    await (await openGenome(path)).close();
    const made = await stat(`${path}.fai`);
    await (await openGenome(path)).close();
    expect((await stat(`${path}.fai`)).mtimeMs).toBe(made.mtimeMs);
    expect(await readFile(`${path}.fai`, "utf8")).toBe("chr1\t12\t12\t5\t6\nchrM\t4\t33\t4\t5\n");
  });

  test("keeps the index in memory if it cannot be saved", async () => {
    // The name of the temporary file exceeds the limit of file systems.
    const path = await folder.write(`${"x".repeat(245)}.fa`, SMALL);
    await using genome = await openGenome(path);
    expect(await genome.sequence({ chrom: "chrM", start: 0, end: 4 })).toBe("GGGG");
    await expect(stat(`${path}.fai`)).rejects.toThrow("ENOENT");
  });
});

test("windows in order, in disorder and overlapping are those of the whole chromosome", async () => {
  const rng = new Pcg64(8);
  const bases = Buffer.from(Array.from({ length: 900_000 }, () => "ACGT".charCodeAt(rng.nextUint32() & 3)));
  const lines = latin1(bases).match(/.{1,61}/g)!;
  await using genome = await openGenome(await folder.write("long.fa", `>x\n${lines.join("\n")}\n`));
  const sorted = Array.from({ length: 300 }, (_, i) => 2_999 * i);
  const random = Array.from({ length: 100 }, () => rng.nextUint32() % 899_000);
  for (const start of [...sorted, ...random, 10, 0, 5, 300_000, 299_990, 300_100, 899_900]) {
    const end = start + 350;
    const found = await genome.sequence({ chrom: "x", start, end });
    expect(found).toBe(latin1(bases.subarray(start, end)).padEnd(350, "N"));
  }
});

test("keeps the last chromosome, or several on request", async () => {
  await using genome = await openGenome(await folder.write("kept.fa", ">a\nAC\n>b\nGT\n"));
  const first = await genome.chromosome("a");
  expect(await genome.chromosome("a")).toBe(first);
  await genome.chromosome("b", true);
  expect(await genome.chromosome("a")).toBe(first);
  await genome.chromosome("b");
  expect(await genome.chromosome("a")).toBe(first);
  const last = await openGenome(genome.path);
  const before = await last.chromosome("a");
  await last.chromosome("b");
  expect(await last.chromosome("a")).not.toBe(before);
  await last.close();
});

describe("a genome in memory", () => {
  const sequences = new Map([
    ["chr1", "ACGTNacgtnRY"],
    ["chrM", "GGGG"],
  ]);

  test("equals a FASTA file with the same sequences", async () => {
    await using file = await openGenome(await folder.write("memory.fa", SMALL));
    await using memory = genomeInMemory("memory", sequences);
    expect([...memory.chromosomes]).toEqual([...file.chromosomes]);
    for (const interval of [
      { chrom: "chr1", start: -3, end: 15 },
      { chrom: "chrM", start: 1, end: 3 },
    ]) {
      expect(await memory.sequence(interval)).toBe(await file.sequence(interval));
    }
    expect(latin1(await memory.chromosome("chr1"))).toBe("ACGTNACGTNRY");
    expect(await memory.digest()).toBe(await file.digest());
    expect(await refusal(memory.chromosome("1"))).toContain('memory: the genome has no sequence "1"');
  });

  test("accepts DNA letters only", () => {
    expect(() => genomeInMemory("memory", new Map([["x", "ACQ"]]))).toThrow('"Q" at base 3 of sequence "x"');
  });
});

describe("refused input", () => {
  test("an unknown chromosome, with the equivalent name", async () => {
    await using genome = await openGenome(await folder.write("names.fa", SMALL));
    expect(await refusal(genome.sequence({ chrom: "1", start: 0, end: 1 }))).toMatch(
      /names\.fa: the genome has no sequence "1", but has "chr1"\n {2}table and genome must use the same chromosome names/,
    );
    expect(await refusal(genome.chromosome("MT"))).toContain('but has "chrM"');
    expect(await refusal(genome.chromosome("chr9"))).toContain('no sequence "chr9"; it has chr1, chrM');
    expect(await refusal(genome.chromosome("__proto__"))).toContain("no sequence");
    expect(await refusal(genome.sequence({ chrom: "chr1", start: 3, end: 3 }))).toContain(
      "end 3 is not after start 3",
    );
  });

  test.each([
    ["another sequence before it was made longer", SMALL.replace("ACGTN", "ACGTNACGTN")],
    ["a name was changed", SMALL.replace("chrM", "chrX")],
    ["a sequence was added at the end", `${SMALL}>new\nACGT\n`],
    ["a sequence was added in front", `>new\nACGT\n${SMALL}`],
    ["the last sequence was made longer", `${SMALL.trimEnd()}G\n`],
    ["the file was cut off", SMALL.slice(0, -4)],
    ["lines were wrapped anew", SMALL.replace("ACGTN\nacgtn\nRY", "ACGT\nNacg\ntnRY")],
  ])("an index from before %s", async (what, after) => {
    for (const pack of [(text: string) => Buffer.from(text), (text: string) => bgzip(Buffer.from(text))]) {
      const path = await folder.write(`${what.replaceAll(" ", "-")}.fa`, pack(SMALL));
      await (await openGenome(path)).close();
      await writeFile(path, pack(after));
      const message = await refusal(
        (async () => {
          await using genome = await openGenome(path);
          for (const name of genome.chromosomes.keys()) await genome.chromosome(name);
        })(),
      );
      expect(message).toMatch(
        /is not at the indexed position|does not match its index|not possible in this file/,
      );
      expect(message).toMatch(/[Dd]elete/);
      await rm(`${path}.fai`);
      await rm(`${path}.gzi`, { force: true });
    }
  });

  test.each([
    ["an empty file", "", "the file is empty"],
    ["no header", "ACGT\n", 'none.fa:1: the first line does not start with ">"'],
    ["blank lines only", "\n\n", "the file has no sequences"],
    ["no name", ">\nACGT\n", "none.fa:1: the sequence has no name"],
    ["a name twice", ">a\nA\n>a\nC\n", 'none.fa:3: a second sequence is named "a"'],
    ["uneven lines", ">a\nACG\nAC\nACG\n", 'none.fa:4: the lines of sequence "a" differ in length'],
    ["a longer line", ">a\nACG\nACGT\n", "none.fa:3: the lines"],
    ["a blank line inside", ">a\nACG\n\nACG\n", "none.fa:4: the lines"],
    ["mixed line ends", ">a\nACG\r\nACG\nACG\r\n", "none.fa:4: the lines"],
    ["a protein", ">a\nMEEPQSD\n", '"E" at base 2 of sequence "a" is not a DNA letter'],
    ["plain gzip", gzipSync(SMALL), "compressed with gzip, which does not support random access"],
  ])("%s", async (_, data, message) => {
    const path = await folder.write("none.fa", data);
    await rm(`${path}.fai`, { force: true });
    const read = async () => {
      await using genome = await openGenome(path);
      await genome.chromosome("a");
    };
    expect(await refusal(read())).toContain(message);
  });

  test.each([
    ["chr1\t12\t12\t5\n", "fai:1: expected a name and four whole numbers"],
    ["chr1\t12\t12\t5\tx\n", "fai:1: expected a name and four whole numbers"],
    ["chr1\t12\t12\t0\t6\n", "fai:1: the entry is not possible in a FASTA file"],
    ["chr1\t12\t12\t7\t6\n", "fai:1: the entry is not possible in a FASTA file"],
    ["chr1\t1e99\t12\t5\t6\n", "fai:1: expected"],
    ["chr1\t12\t12\t5\t6\nchr1\t12\t12\t5\t6\n", 'fai:2: sequence "chr1" is listed twice'],
    ["", "the index is empty"],
    ["chr1\t999999999999\t12\t5\t6\nchrM\t4\t33\t4\t5\n", '"chr1" is not at the indexed position'],
  ])("the index %j", async (index, message) => {
    const path = await folder.write("bad-index.fa", SMALL);
    await folder.write("bad-index.fa.fai", index);
    expect(await refusal(openGenome(path))).toContain(message);
  });

  test("damaged compression", async () => {
    const whole = bgzip(Buffer.from(SMALL.replace("GGGG", "G".repeat(5000))), 1000);
    const cut = await folder.write("cut.fa.gz", whole.subarray(0, whole.length - 100));
    expect(await refusal(openGenome(cut))).toMatch(/no complete bgzip block|damaged/);
    const path = await folder.write("damaged.fa.gz", whole);
    await (await openGenome(path)).close();
    const damaged = Buffer.from(whole);
    damaged.fill(0, whole.length - 120, whole.length - 80);
    await writeFile(path, damaged);
    const read = async () => {
      await using genome = await openGenome(path);
      await genome.chromosome("chrM");
    };
    expect(await refusal(read())).toContain("damaged");
  });

  test("no flipped bit of a compressed file gives wrong bases, with or without an index", async () => {
    const rng = new Pcg64(11);
    const letters = Array.from({ length: 9000 }, () => "ACGT"[Math.floor(4 * rng.nextFloat64())]).join("");
    const whole = bgzip(Buffer.from(`>chr1\n${letters.replaceAll(/.{60}/g, "$&\n")}\n`), 2000);
    const path = await folder.write("flipped.fa.gz", whole);
    await (await openGenome(path)).close();
    const read = async () => {
      await using genome = await openGenome(path);
      return latin1(await genome.chromosome("chr1"));
    };
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const bytes = Buffer.from(whole);
      const at = Math.floor(rng.nextFloat64() * (whole.length - 28));
      bytes[at] ^= 1 << Math.floor(8 * rng.nextFloat64());
      await writeFile(path, bytes);
      if (i === 150) for (const end of ["fai", "gzi"]) await rm(`${path}.${end}`);
      const answer = await read().catch((error: unknown) => error);
      if (i >= 150) for (const end of ["fai", "gzi"]) await rm(`${path}.${end}`, { force: true });
      // The time and operating system in the header of a block are ignored.
      if (answer === letters) continue;
      expect(answer, `byte ${at}`).toBeInstanceOf(InputError);
      refused++;
    }
    expect(refused).toBeGreaterThan(280);
  });

  test("a damaged block, with its offset", async () => {
    const whole = bgzip(Buffer.from(SMALL), 16);
    const path = await folder.write("named-block.fa.gz", whole);
    const second = whole.readUInt16LE(16) + 1;
    const damaged = Buffer.from(whole);
    damaged[second + 20] ^= 4;
    await writeFile(path, damaged);
    expect(await refusal(openGenome(path))).toContain(`the bgzip block at byte ${second} is damaged`);
  });

  test.each(["-", "*"])(
    "a sequence that ends in %s, naming the character rather than the index",
    async (letter) => {
      for (const name of ["chr1", "chrM"]) {
        const text = SMALL.replace(name === "chr1" ? "RY" : "GGGG", (bases) => bases.slice(0, -1) + letter);
        const path = await folder.write("odd-end.fa", text);
        await rm(`${path}.fai`, { force: true });
        expect(await refusal(openGenome(path))).toContain(
          `odd-end.fa: "${letter}" at base ${name === "chr1" ? 12 : 4} of sequence "${name}" is not a DNA letter`,
        );
      }
    },
  );

  test("a compressed block that declares gigabytes, before allocation", async () => {
    const whole = bgzip(Buffer.from(SMALL), 16);
    const claiming = Buffer.from(whole);
    const first = claiming.readUInt16LE(16) + 1;
    claiming.writeUInt32LE(0xffff_ff00, first - 4);
    const before = process.resourceUsage().maxRSS;
    const unread = await folder.write("claims.fa.gz", claiming);
    expect(await refusal(openGenome(unread))).toContain(
      "the bgzip block at byte 0 declares 4294967040 bytes",
    );
    // The same block reached through valid indexes.
    const indexed = await folder.write("claims-later.fa.gz", whole);
    await (await openGenome(indexed)).close();
    await writeFile(indexed, claiming);
    expect(await refusal(openGenome(indexed))).toContain("declares 4294967040 bytes");
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(2 ** 20); // KiB
  });

  test.each([
    ["bytes missing", (gzi: Buffer) => gzi.subarray(0, -1), "does not match its number of blocks"],
    [
      "an impossible count",
      (gzi: Buffer) => Buffer.concat([Buffer.alloc(8, 255), gzi.subarray(8)]),
      "its number of blocks",
    ],
    [
      "an offset beyond the file",
      (gzi: Buffer) => Buffer.from(gzi).fill(255, 8, 14),
      "not possible in this file",
    ],
  ])("a .gzi with %s", async (name, spoil, message) => {
    const path = await folder.write(`${name.replaceAll(" ", "-")}.fa.gz`, bgzip(Buffer.from(SMALL), 16));
    await (await openGenome(path)).close();
    await writeFile(`${path}.gzi`, spoil(await readFile(`${path}.gzi`)));
    expect(await refusal(openGenome(path))).toContain(message);
  });

  test.each([
    ["without a letter", [3, 0]],
    ["over another", [1, 2]],
    ["beyond its end", [4, 9]],
  ])("a 2bit file with a block of N %s", async (_, [start, length]) => {
    const path = await folder.write("stretch.2bit", twoBit([1, start, 1, length]));
    const read = async () => {
      await using genome = await openGenome(path);
      await genome.chromosome("chr1");
    };
    expect(await refusal(read())).toMatch(/"chr1" of 8 bases has an invalid block of N from \d+ to \d+/);
  });

  test("(accepted) a 2bit file with valid blocks of N is read", async () => {
    await using genome = await openGenome(await folder.write("sound.2bit", twoBit([1, 4, 2, 1])));
    expect(latin1(await genome.chromosome("chr1"))).toBe("TNNTNTTT");
  });

  testWithSharedData(
    "a 2bit file that is truncated, big-endian or inconsistent",
    "formats/twobit/test.2bit",
    async (path) => {
      const whole = await readFile(path);
      const spoiled = async (change: (bytes: Buffer) => Buffer) => {
        const file = await folder.write("spoiled.2bit", change(Buffer.from(whole)));
        return refusal(
          (async () => {
            await using genome = await openGenome(file);
            for (const name of genome.chromosomes.keys()) await genome.chromosome(name);
          })(),
        );
      };
      expect(await spoiled((bytes) => bytes.subarray(0, bytes.length - 50))).toContain(
        "damaged or truncated",
      );
      expect(await spoiled((bytes) => bytes.subarray(0, 20))).toContain("spoiled.2bit: ");
      expect(
        await spoiled((bytes) => Buffer.concat([bytes.subarray(0, 4).swap32(), bytes.subarray(4)])),
      ).toContain("big-endian");
      expect(
        await spoiled((bytes) => {
          bytes.writeUInt32LE(0xffffffff, 8);
          return bytes;
        }),
      ).toContain("spoiled.2bit: ");
      expect(
        await spoiled((bytes) => {
          const record = bytes.readUInt32LE(16 + 1 + bytes.readUInt8(16));
          bytes.writeUInt32LE(0xffffffff, record);
          return bytes;
        }),
      ).toContain("more than the file can contain");
    },
  );

  test("a missing file and a folder", async () => {
    expect(await refusal(openGenome(folder.path("nothing.fa")))).toContain("no such file");
    expect(await refusal(openGenome(folder.path("")))).toContain("this is a folder; expected a file");
  });
});

describe("the genome digest", () => {
  const digestOf = async (name: string, text: string) => {
    await using genome = await openGenome(await folder.write(name, text));
    return genome.digest();
  };

  test("is the SHA-256 of the sorted names, lengths and sequence digests", async () => {
    const list = `chr1\t12\t${sha256Hex("ACGTNACGTNNN")}\nchrM\t4\t${sha256Hex("GGGG")}\n`;
    expect(await digestOf("d1.fa", SMALL)).toBe(sha256Hex(list));
  });

  test("depends on names and bases, not on case, order or line width", async () => {
    const digest = await digestOf("d2.fa", SMALL);
    expect(await digestOf("d3.fa", ">chrM x\nGG\nGG\n>chr1\nACGTNacgtNNN\n")).toBe(digest);
    expect(await digestOf("d4.fa", SMALL.replace("GGGG", "GGGC"))).not.toBe(digest);
    expect(await digestOf("d5.fa", SMALL.replace("chrM", "MT"))).not.toBe(digest);
  });

  test("is cached until the file changes", async () => {
    const path = await folder.write("d6.fa", SMALL);
    await (await openGenome(path)).close();
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await using genome = await openGenome(path);
    const digest = await genome.digest();
    expect(await genome.digest()).toBe(digest);
    await rename(path, folder.path("d6-old.fa"));
    await writeFile(path, SMALL.replace("GGGG", "CCCC"));
    await utimes(path, new Date(0), new Date(0));
    await using changed = await openGenome(path);
    expect(await changed.digest()).not.toBe(digest);
  });
});

test("truncates a name of a million characters in a message", () => {
  const name = "c".repeat(1_000_000);
  const line = `${name}\t4\t3\t4\t5\n`;
  const refusal = () => parseFastaIndex(line + line, "g.fa.fai");
  expect(refusal).toThrow(/listed twice$/);
  expect(refusal).toThrow(/^.{1,120}$/);
});
