import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../source-files.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("on Windows a rename that a virus scanner blocks for a moment is tried again", () => {
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
    const { rename } = await import(${JSON.stringify(join(repository, "src/base/write-file.ts"))});
    await rename("a", "b");
    console.log(blocked);`;
  writeFileSync(join(folder, "program.mts"), program);
  const printed = execFileSync(
    process.execPath,
    ["--import", join(repository, "node_modules/tsx/dist/loader.mjs"), "program.mts"],
    { cwd: folder, encoding: "utf8", env: { ...process.env, GRACEFUL_FS_PLATFORM: "win32" } },
  );
  expect(printed.trim()).toBe("4");
  expect(readdirSync(folder).sort()).toEqual(["b", "program.mts"]);
});
