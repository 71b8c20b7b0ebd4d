import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { type ChildProgram, startProgram } from "../../src/base/child-program.ts";
import { compiled } from "../compiled.ts";
import { repository } from "../source-files.ts";
import { folderOfFile, temporaryFolder } from "../temporary-folder.ts";

const node = (code: string, maxLineLength = 1e6) =>
  startProgram([process.execPath, "-e", code], { maxLineLength });

/** True if a process with this id exists. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function pidOf(program: ChildProgram): Promise<number> {
  return Number(await program.nextLine());
}

const ECHO = `require("node:readline").createInterface(process.stdin).on("line", (line) => console.log(line))`;

test("exchanges lines of any length in any chunks", async () => {
  const program = node(ECHO);
  const long = "ACGT".repeat(100_000);
  for (const line of ["one", "", "zwölf ✓", long]) {
    program.writeLine(line);
    expect(await program.nextLine()).toBe(line);
  }
  await program.stop();
  expect(await program.nextLine()).toEqual({ how: "code", code: 0 });
});

test("returns all lines before the exit status", async () => {
  const program = node(`process.stdout.write("a\\nb\\r\\nhalf"); process.exitCode = 3`);
  expect(await program.nextLine()).toBe("a");
  expect(await program.nextLine()).toBe("b");
  expect(await program.nextLine()).toEqual({ how: "code", code: 3 });
  program.writeLine("nobody reads this");
  await program.stop();
});

test("pauses a program that writes ahead, without losing lines", async () => {
  const program = node(`for (let i = 0; i < 20000; i++) console.log(i)`);
  await new Promise((done) => setTimeout(done, 200));
  const lines: unknown[] = [];
  for (let i = 0; i < 20_000; i++) lines.push(await program.nextLine());
  expect(lines.join(" ")).toBe(Array.from({ length: 20_000 }, (_, i) => i).join(" "));
  expect(await program.nextLine()).toEqual({ how: "code", code: 0 });
});

describe("exit status", () => {
  test("of a program killed by a signal", async () => {
    const program = node(`process.kill(process.pid, "SIGKILL")`);
    expect(await program.nextLine()).toEqual({ how: "signal", signal: "SIGKILL" });
  });

  test("of a program that cannot be started", async () => {
    const program = startProgram(["no-such-program-here"], { maxLineLength: 10 });
    expect(await program.nextLine()).toMatchObject({ how: "not started", error: { code: "ENOENT" } });
    await program.stop();
  });

  test("of a program killed for a line that is too long", async () => {
    const program = node(`setInterval(() => process.stdout.write("A".repeat(1000)), 1)`, 10_000);
    expect(await program.nextLine()).toEqual({ how: "too long", bytes: 10_000 });
  });
});

// These wait for a grace period, or for the system to remove an orphan.
describe.concurrent("stopping", () => {
  const folder = folderOfFile();

  test("sends SIGTERM, then SIGKILL", async ({ expect }) => {
    const program = node(
      `console.log(process.pid); process.on("SIGTERM", () => {}); setInterval(() => {}, 1e3)`,
    );
    const pid = await pidOf(program);
    const began = Date.now();
    await program.stop(50);
    expect(Date.now() - began).toBeGreaterThan(1500);
    expect(isThere(pid)).toBe(false);
    expect(await program.nextLine()).toEqual({ how: "signal", signal: "SIGKILL" });
  });

  const parent = (end: string) => `
    import { startProgram } from ${JSON.stringify(compiled("src/base/child-program.ts"))};
    const child = startProgram([process.execPath, "-e", ${JSON.stringify(
      `console.log(process.pid); process.stdin.resume().on("end", () => process.exit());
       process.on("SIGINT", () => {}); setInterval(() => {}, 1000);`,
    )}], { maxLineLength: 100 });
    console.log(await child.nextLine());
    ${end}`;

  test.for([
    ["when its parent exits", "process.exit(0)"],
    ["when its parent has nothing left to do", ""],
    ["when its parent is killed", `process.kill(process.pid, "SIGKILL")`],
  ] as const)("%s", async ([name, end], { expect }) => {
    const file = join(folder, `${name}.mjs`);
    writeFileSync(file, parent(end));
    const started = spawn(process.execPath, [file], {
      cwd: repository,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    started.stdout.on("data", (chunk) => {
      printed += chunk;
    });
    await once(started, "close");
    const pid = Number(printed);
    expect(pid).toBeGreaterThan(0);
    await expect.poll(() => isThere(pid), { timeout: 5000 }).toBe(false);
  });

  test("keeps the parent alive until the program has ended", async ({ expect }) => {
    const file = join(folder, "parent.mjs");
    writeFileSync(
      file,
      `import { startProgram } from ${JSON.stringify(compiled("src/base/child-program.ts"))};
       const code = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')";
       const child = startProgram([process.execPath, "-e", code], { maxLineLength: 100 });
       await child.nextLine();
       await child.stop(10);
       console.log(JSON.stringify(await child.nextLine()));`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: repository });
    expect(JSON.parse(stdout)).toEqual({ how: "signal", signal: "SIGKILL" });
  });
});

test("inherits standard error", () => {
  const file = join(temporaryFolder(), "parent.mjs");
  writeFileSync(
    file,
    `import { startProgram } from ${JSON.stringify(compiled("src/base/child-program.ts"))};
     const child = startProgram([process.execPath, "-e", "console.error('loading weights')"], { maxLineLength: 100 });
     await child.nextLine();`,
  );
  const said = execFileSync("sh", ["-c", `"${process.execPath}" "${file}" 2>&1 >/dev/null`], {
    cwd: repository,
    encoding: "utf8",
  });
  expect(said).toBe("loading weights\n");
});

test.skipIf(process.platform === "win32")(
  "on Windows the whole tree of processes is ended by taskkill [needs a POSIX shell]",
  () => {
    const folder = temporaryFolder();
    const log = join(folder, "calls");
    // Replaces taskkill: records its arguments and ends the process.
    writeFileSync(join(folder, "taskkill"), `#!/bin/sh\necho "$@" >> "${log}"\nkill -9 "$2"\n`, {
      mode: 0o755,
    });
    const file = join(folder, "parent.mjs");
    writeFileSync(
      file,
      `import { startProgram } from ${JSON.stringify(compiled("src/base/child-program.ts"))};
     Object.defineProperty(process, "platform", { value: "win32" });
     const code = "setInterval(() => {}, 1000); console.log(process.pid)";
     const child = startProgram([process.execPath, "-e", code], { maxLineLength: 100 });
     const pid = await child.nextLine();
     await child.stop(10);
     console.log(pid);`,
    );
    const printed = execFileSync(process.execPath, [file], {
      cwd: repository,
      encoding: "utf8",
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    });
    expect(readFileSync(log, "utf8")).toBe(`/PID ${printed.trim()} /T /F\n`);
  },
);

test("disables the telemetry of ONNX Runtime in the program", async () => {
  const program = node("console.log(process.env.ORT_DISABLE_TELEMETRY, process.env.PATH !== undefined)");
  expect(await program.nextLine()).toBe("1 true");
  await program.stop();
});
