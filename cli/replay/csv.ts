/** Reads delimited text (RFC 4180: quotes, doubled quotes, line breaks inside quotes) chunk by chunk, record by record. */

/** Yields the fields of each record, parted by tabs if the first line has one, else by commas. An empty line yields nothing. */
export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<string[]> {
  let separator: string | undefined;
  let fields: string[] = [];
  let field = "";
  let quoted = false;
  // A quote that ends a chunk may be the first half of a doubled one: the next character decides.
  let quotePending = false;

  for await (const chunk of chunks) {
    separator ??= chunk.split("\n", 1)[0]?.includes("\t") ? "\t" : ",";
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
          if (fields.length > 1 || fields[0] !== "") yield fields;
          fields = [];
        }
      }
    }
    if (!quotePending) field += chunk.slice(start);
  }
  if (field !== "" || fields.length > 0) yield [...fields, field];
}

function withoutReturn(field: string, ended: string): string {
  return ended === "\n" && field.endsWith("\r") ? field.slice(0, -1) : field;
}

/** Yields each record as an object under the names of the first one. */
export async function* readCsvObjects(chunks: AsyncIterable<string>): AsyncGenerator<Record<string, string>> {
  let names: string[] | undefined;
  for await (const fields of readCsv(chunks)) {
    if (!names) {
      names = fields;
      continue;
    }
    yield Object.fromEntries(names.map((name, column) => [name, fields[column] ?? ""]));
  }
}
