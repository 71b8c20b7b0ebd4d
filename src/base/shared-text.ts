/**
 * One string for all equal ones of a large table: a field cut from a line would keep the text around it in memory.
 * For columns of few values, such as a chromosome's name.
 */
export class SharedText {
  private readonly known = new Map<string, string>();

  of(text: string): string {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    const copy = Buffer.from(text).toString();
    this.known.set(copy, copy);
    return copy;
  }
}
