/** The text of a file, gzipped or not, in chunks and in lines; never the whole of it in memory. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { Failure } from "../project.ts";

/** The file's text. Told gzip by its first bytes, not by its name. @throws {Failure} */
export async function* readText(path: string): AsyncGenerator<string> {
  try {
    yield* read(path);
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}`);
  }
}

async function* read(path: string): AsyncGenerator<string> {
  const file = await open(path);
  const magic = Buffer.alloc(2);
  await file.read(magic, 0, 2, 0);
  await file.close();
  const raw = createReadStream(path);
  const bytes = magic[0] === 0x1f && magic[1] === 0x8b ? raw.pipe(createGunzip()) : raw;
  // A pipe does not hand on errors: without this a file that vanishes would hang the reader.
  if (bytes !== raw) raw.on("error", (error) => bytes.destroy(error));
  bytes.setEncoding("utf8");
  yield* bytes as AsyncIterable<string>;
}

/** Lines of a text that comes in chunks. */
export async function* readLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line;
  }
  if (rest !== "") yield rest;
}
