import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { textIfPresent } from "../../src/base/read-file.ts";
import {
  appendDurably,
  createFileAtomic,
  removeTemporaryFiles,
  writeFileAtomic,
} from "../../src/base/write-file.ts";
import { compiled } from "../compiled.ts";
import { temporaryFolder } from "../temporary-folder.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

test("replaces an existing file and leaves no temporary file", async () => {
  const path = join(folder, "new", "deep", "a.json");
  await writeFileAtomic(path, "first");
  await writeFileAtomic(path, Uint8Array.of(104, 105));
  expect(await readFile(path, "utf8")).toBe("hi");
  expect(await readdir(join(folder, "new", "deep"))).toEqual(["a.json"]);
});

test("accepts chunks; a failing source keeps the existing file", async () => {
  const path = join(folder, "pieces");
  await writeFileAtomic(
    path,
    (async function* () {
      yield "a";
      yield "b\n";
    })(),
  );
  const broken = new InputError("the source is broken");
  await expect(
    writeFileAtomic(
      path,
      (async function* () {
        yield "c";
        throw broken;
      })(),
    ),
  ).rejects.toBe(broken);
  expect(await readFile(path, "utf8")).toBe("ab\n");
  expect(await readdir(folder)).toEqual(["pieces"]);
});

test("removeTemporaryFiles removes only the temporary files of a path", async () => {
  const path = join(folder, "state");
  await writeFileAtomic(path, "whole");
  const others = [
    ".other.12.0123abcd.tmp",
    ".state.12.0123abcd.txt",
    ".state.tmp",
    ".state.more.12.0123abcd.tmp",
  ];
  for (const name of [...others, ".state.12.0123abcd.tmp", ".state.4567.89abcdef.tmp"]) {
    await writeFile(join(folder, name), "half");
  }
  await removeTemporaryFiles(path);
  expect((await readdir(folder)).sort()).toEqual([...others, "state"].sort());
  await removeTemporaryFiles(join(folder, "nowhere", "state"));
});

test("a failure keeps the existing file and names the path", async () => {
  await mkdir(join(folder, "taken"));
  await writeFile(join(folder, "taken", "kept"), "kept");
  const error = await writeFileAtomic(join(folder, "taken"), "x").catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).describe()).toContain("taken: this is a folder");
  expect(await readdir(folder)).toEqual(["taken"]);
  await writeFile(join(folder, "file"), "");
  const through = await writeFileAtomic(join(folder, "file", "x"), "x").catch((thrown: unknown) => thrown);
  expect(through).toBeInstanceOf(InputError);
});

test.skipIf(process.getuid?.() === 0)(
  "names a folder that is not writable [needs a user other than root]",
  async () => {
    await chmod(folder, 0o500);
    const error = await writeFileAtomic(join(folder, "x"), "x").catch((thrown: unknown) => thrown);
    expect((error as InputError).describe()).toContain("permission denied");
  },
);

test("appendDurably appends", async () => {
  const path = join(folder, "rows", "1.jsonl");
  await appendDurably(path, "a\n");
  await appendDurably(path, "b\n");
  expect(await readFile(path, "utf8")).toBe("a\nb\n");
});

test.skipIf(process.platform !== "linux")("reports a full disk [needs Linux]", async () => {
  // Writes to /dev/full fail with ENOSPC.
  const path = join(folder, "full");
  await symlink("/dev/full", path);
  const error = await appendDurably(path, "x").catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).describe()).toMatch(/full: the disk is full\n {2}free some space/);
});

test.runIf(process.platform === "linux")("writes to pipes and devices without replacing them", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("/usr/bin/env", ["mkfifo", pipe]);
  const [text] = await Promise.all([readFile(pipe, "utf8"), writeFileAtomic(pipe, "through")]);
  expect(text).toBe("through");
  expect((await stat(pipe)).isFIFO()).toBe(true);
  // Creating a device needs root; a link to one is equivalent.
  const full = join(folder, "full");
  await symlink("/dev/full", full);
  await expect(writeFileAtomic(full, "x")).rejects.toThrow("the disk is full");
  expect((await lstat(full)).isSymbolicLink()).toBe(true);
});

test("refuses a folder as the target before touching any file", async () => {
  await expect(writeFileAtomic(".", "x")).rejects.toThrow("this is a folder");
});

test("createFileAtomic succeeds for exactly one of several concurrent calls", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "deep", "plan.json");
  const made = await Promise.all(
    Array.from({ length: 12 }, (_, i) => createFileAtomic(path, `content ${i}`)),
  );
  expect(made.filter(Boolean)).toHaveLength(1);
  expect(await readFile(path, "utf8")).toBe(`content ${made.indexOf(true)}`);
  expect(await readdir(join(folder, "deep"))).toEqual(["plan.json"]);
});

test("textIfPresent is undefined for a missing file and names a folder", async () => {
  const folder = temporaryFolder();
  expect(await textIfPresent(join(folder, "nothing"))).toBeUndefined();
  await expect(textIfPresent(folder)).rejects.toMatchObject({ place: { file: folder } });
});

test.skipIf(!existsSync("/dev/shm"))(
  "a file in /dev/shm is replaced as a whole, like on a disk [needs /dev/shm]",
  async () => {
    const folder = mkdtempSync("/dev/shm/dart-eval-test-");
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "a");
    writeFileSync(path, "longer than the next");
    await writeFileAtomic(path, "next");
    expect(await readFile(path, "utf8")).toBe("next");
  },
);

test("retries a rename that a virus scanner blocks on Windows", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "a"), "1");
  const program = `
    import fs from "node:fs";
    const whole = fs.rename;
    let blocked = 0;
    fs.rename = (from, to, done) => {
      if (++blocked <= 3) done(Object.assign(new Error("EPERM"), { code: "EPERM" }));
      else whole(from, to, done);
    };
    const { rename } = await import(${JSON.stringify(compiled("src/base/write-file.ts"))});
    await rename("a", "b");
    console.log(blocked);`;
  writeFileSync(join(folder, "program.mjs"), program);
  const printed = execFileSync(process.execPath, ["program.mjs"], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, GRACEFUL_FS_PLATFORM: "win32" },
  });
  expect(printed.trim()).toBe("4");
  expect(readdirSync(folder).sort()).toEqual(["b", "program.mjs"]);
});
