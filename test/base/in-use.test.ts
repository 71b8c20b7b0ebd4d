import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lastUse, markInUse, removeUnlessUsed, usersOf } from "../../src/base/in-use.ts";
import { markOfThisProcess } from "../../src/base/process.ts";
import { compiled } from "../compiled.ts";
import { temporaryFolder } from "../temporary-folder.ts";

function cached() {
  const path = join(temporaryFolder(), "3fa0");
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "chunk"), "x");
  return path;
}

test("a file in use is not removed until it is released", async () => {
  const path = cached();
  expect(await lastUse(path)).toBeUndefined();
  const mark = await markInUse(path);
  const other = await markInUse(path);
  expect((await usersOf(path)).map(({ pid }) => pid)).toEqual([process.pid, process.pid]);
  await mark.release();
  expect(await removeUnlessUsed(path)).toBe(false);
  expect(existsSync(join(path, "chunk"))).toBe(true);
  await other.release();
  expect(Date.now() - (await lastUse(path))!.getTime()).toBeLessThan(10_000);
  expect(await removeUnlessUsed(path)).toBe(true);
  expect(readdirSync(join(path, ".."))).toEqual([]);
});

test("a file in use by another process is kept until that process ends", async () => {
  const path = cached();
  const program = `
    import { markInUse } from ${JSON.stringify(compiled("src/base/in-use.ts"))};
    await markInUse(${JSON.stringify(path)});
    console.log("marked");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  expect(await removeUnlessUsed(path)).toBe(false);
  child.kill("SIGKILL");
  await once(child, "exit");
  const next = await markInUse(path);
  expect(readdirSync(`${path}.in-use`).filter((name) => name.endsWith(".json"))).toHaveLength(1);
  await next.release();
  expect(await usersOf(path)).toEqual([]);
  expect(await removeUnlessUsed(path)).toBe(true);
});

test("a user on another machine counts as alive", async () => {
  const path = cached();
  const mark = { ...(await markOfThisProcess()), host: "another", machine: "0" };
  mkdirSync(`${path}.in-use`);
  writeFileSync(join(`${path}.in-use`, `${mark.nonce}.json`), JSON.stringify(mark));
  expect(await removeUnlessUsed(path)).toBe(false);
});
