import { expect, test } from "vitest";
import { shortenPaths } from "../../src/base/message-text.ts";

test.each([
  ["run --genome /data/ann/hg38.fa --out runs/markov", "run --genome …/hg38.fa --out runs/markov"],
  ["--out /home/ann/runs/markov/", "--out ~/runs/markov/"],
  ["--out=/Users/ann/x -o/root/y ../z ~/w", "--out=~/x -o~/y ../z ~/w"],
  ["'genome=/home/ann/my data/x.fa'", "'genome=~/my data/x.fa'"],
  ["'python /opt/ann/adapter.py --weights /home/ann/w.pt'", "'python …/adapter.py --weights ~/w.pt'"],
  ['"C:\\Users\\ann\\hg38.fa" D:\\data\\x.fa D:/data/x.fa', '"~\\hg38.fa" …\\x.fa …/x.fa'],
  ["\\\\server\\ann\\x.fa file:///data/ann/x.fa", "…\\x.fa …/x.fa"],
  [
    "https://example.org/ann/x hf://org/model org/model",
    "https://example.org/ann/x hf://org/model org/model",
  ],
  ["toy:hyenadna name:/data/ann/model-1 /data,/home/ann", "toy:hyenadna name:…/model-1 /data,~"],
  ["/homework/ann/x a/home/ann/x", "…/x a/home/ann/x"],
])("%s", (text, expected) => {
  expect(shortenPaths(text)).toBe(expected);
  expect(shortenPaths(expected)).toBe(expected);
});
