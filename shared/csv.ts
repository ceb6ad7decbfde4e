/** Reads delimited text (RFC 4180: quotes, doubled quotes, line breaks inside quotes) chunk by chunk, record by record. */

/**
 * Yields the fields of each record; an empty line is a record of one empty field. They are parted by what the first line has:
 * tabs, else commas, else semicolons.
 *
 * @throws SyntaxError for a quote that is never closed, when all before it has been yielded
 */
export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<string[]> {
  let separator: string | undefined;
  let fields: string[] = [];
  let field = "";
  let quoted = false;
  // A quote that ends a chunk may be the first half of a doubled one: the next character decides.
  let quotePending = false;

  for await (const chunk of chunks) {
    separator ??= separatorOf(chunk);
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const character = chunk[at];
      if (quoted && !quotePending) {
        if (character !== '"') continue;
        field += chunk.slice(start, at);
        quotePending = true;
        continue;
      }
      if (quotePending) {
        quotePending = false;
        start = at;
        if (character === '"') {
          // The second of two: one quote is content.
          continue;
        }
        quoted = false;
      }
      if (character === '"' && field === "" && start === at) {
        quoted = true;
        start = at + 1;
      } else if (character === separator || character === "\n") {
        fields.push(withoutReturn(field + chunk.slice(start, at), character));
        field = "";
        start = at + 1;
        if (character === "\n") {
          yield fields;
          fields = [];
        }
      }
    }
    if (!quotePending) field += chunk.slice(start);
  }
  if (quoted && !quotePending) throw new SyntaxError("A quote is opened and never closed.");
  if (field !== "" || fields.length > 0) yield [...fields, field];
}

function separatorOf(text: string): string {
  const line = /[^\r\n]*/.exec(text.trimStart())![0];
  return ["\t", ",", ";"].find((separator) => line.includes(separator)) ?? ",";
}

function withoutReturn(field: string, ended: string): string {
  return ended === "\n" && field.endsWith("\r") ? field.slice(0, -1) : field;
}

/** Yields each record as an object under the names of the first one; empty lines are left out. */
export async function* readCsvObjects(chunks: AsyncIterable<string>): AsyncGenerator<Record<string, string>> {
  let names: string[] | undefined;
  for await (const fields of readCsv(chunks)) {
    if (fields.length === 1 && fields[0] === "") continue;
    if (!names) {
      names = fields;
      continue;
    }
    yield Object.fromEntries(names.map((name, column) => [name, fields[column] ?? ""]));
  }
}
