import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { findIndexFile, pipIndex } from "../../src/base/python-index.ts";
import { startServer } from "../http-server.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const FILE = "made-1.0-cp312-cp312-manylinux_2_28_x86_64.whl";

test("the index is pip's: its variable, then its files in pip's order, then PyPI", async () => {
  const home = temporaryFolder();
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  };
  const env: Record<string, string> = { PIP_CONFIG_FILE: join(home, "absent.conf") };
  const urlOf = async () => (await pipIndex(env, home)).url;
  write(".pip/pip.conf", "[install]\nindex-url = https://wrong/simple\n");
  write(".config/pip/pip.conf", "# user\n[global]\ntimeout = 5\nindex_url: https://user/simple\n");
  expect(await urlOf()).toBe("https://user/simple");
  write("venv/pip.conf", "[global]\nindex-url = https://venv/simple");
  env.VIRTUAL_ENV = join(home, "venv");
  expect(await urlOf()).toBe("https://venv/simple");
  expect((await pipIndex(env, home)).setting).toBe(`index-url of ${join(home, "venv", "pip.conf")}`);
  env.PIP_INDEX_URL = "https://variable/simple";
  expect(await urlOf()).toBe("https://variable/simple");
});

test("a file is found on a page of JSON or HTML; credentials stay on the index's host", async () => {
  const seen: (string | undefined)[] = [];
  const server = await startServer(({ url, headers }, response) => {
    seen.push(headers.authorization);
    const files = [
      { filename: "other.whl", url: "https://files/other.whl" },
      { filename: FILE, url: `https://files/${FILE}#sha256=00` },
    ];
    if (url === "/json/made/") response.end(JSON.stringify({ files }));
    else if (url === "/html/made/") {
      response.end(
        `<a href="../../files/other.whl">o</a><a data-x="1" href="../../files/${FILE}?a=1&amp;b=2#sha256=00">`,
      );
    } else response.writeHead(404).end("no");
  });
  const find = (path: string) =>
    findIndexFile(
      { url: `${server.replace("//", "//me:p%40ss@")}${path}`, setting: "--index" },
      "made",
      FILE,
    );
  const json = await find("/json");
  expect([json.url.href, json.headers]).toEqual([`https://files/${FILE}`, {}]);
  const html = await find("/html/");
  const authorization = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
  expect([html.url.href, html.headers]).toEqual([`${server}/files/${FILE}?a=1&b=2`, { authorization }]);
  expect(seen).toEqual([authorization, authorization]);
  await expect(find("/none")).rejects.toThrow(`${server}/none/made/, from --index, responds with status 404`);
  await expect(
    findIndexFile({ url: `${server}/json`, setting: "--index" }, "made", "absent.whl"),
  ).rejects.toThrow(`${server}/json/made/, from --index, does not have absent.whl`);
  await expect(findIndexFile({ url: "pypi", setting: "PIP_INDEX_URL" }, "made", FILE)).rejects.toThrow(
    /PIP_INDEX_URL is "pypi", which is not a valid address/,
  );
});

test.each([
  ["not JSON", "{ files"],
  ["files that are not a list", `{ "files": { "filename": "${FILE}" } }`],
  ["an entry that is null", '{ "files": [null] }'],
  ["a link with an invalid encoding", '<a href="%zz.whl">'],
  ["a link to a local file", `<a href="file:///tmp/${FILE}">`],
])("a page of an index with %s does not have the file", async (_, page) => {
  const server = await startServer((_request, response) => response.end(page));
  const error = await findIndexFile(
    { url: server.replace("//", "//%zz@"), setting: "--index" },
    "made",
    FILE,
  ).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InputError);
  expect(String(error)).toContain(`does not have ${FILE}`);
});
