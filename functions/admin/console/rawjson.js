// JSON as the text that it is: a number keeps every digit that it was written with, `1.10` and 2^53 + 1 too, which none
// keeps that has been a number of JavaScript's. Only of what JSON.parse has taken.

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** The raw texts of an object's members, by name, or of an array's items, by number. */
export function parts(text) {
  const found = new Map();
  const isObject = text.trimStart().startsWith("{");
  let depth = 0;
  let name = null;
  let [from, to] = [null, 0];
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const closes = token === "}" || token === "]";
    if (depth === 1 && (closes || token === ",")) {
      if (from !== null) found.set(isObject ? name : found.size, text.slice(from, to));
      name = from = null;
    } else if (depth === 1 && isObject && name === null) {
      name = JSON.parse(token);
    } else if (depth === 1 && from === null && token !== ":") {
      from = index;
    }
    if (token === "{" || token === "[") depth += 1;
    if (closes) depth -= 1;
    to = index + token.length;
  }
  return found;
}

/** The same in lines, two spaces deeper for each level. */
export function indent(text) {
  let made = "";
  let before = "";
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of text.matchAll(TOKEN)) {
    const opened = before === "{" || before === "[";
    if (token === "}" || token === "]") {
      depth -= 1;
      made += opened ? token : line() + token;
    } else {
      made += (opened || before === "," ? line() : "") + token + (token === ":" ? " " : "");
      if (token === "{" || token === "[") depth += 1;
    }
    before = token;
  }
  return made;
}

/** Whether both say the same in the same words: blanks are none. */
export const isSame = (one, other) => (one.match(TOKEN) ?? []).join(" ") === (other.match(TOKEN) ?? []).join(" ");
