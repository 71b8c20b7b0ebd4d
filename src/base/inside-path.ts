/** Whether a path from a stranger, parts separated by `/`, stays inside the folder it is put into, on any system. */
export function isInsidePath(path: string): boolean {
  return (
    path.length < 1024 &&
    path
      .split("/")
      .every((part) => part !== "" && part !== "." && part !== ".." && !/[\\:\0]|[. ]$/.test(part))
  );
}
