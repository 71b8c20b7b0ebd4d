/** Source of a regular expression that matches exactly this text, outside a character class. */
export const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
