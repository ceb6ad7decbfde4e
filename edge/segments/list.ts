/** An uploaded list of people, in CSV or JSON: row by row the identifiers it names, or what is wrong with it. Echoes no value. */
import { readCsv } from "../../shared/csv.ts";
import type { Identifier, IdentifierKind } from "../../shared/identifier.ts";
import { UPLOAD_ROWS } from "../../shared/limits.ts";
import { type IdentityPolicy, phraseKinds, phraseRefusal } from "../identity/policy.ts";
import { pointerOf } from "../invalid.ts";
import { Problem } from "../problem.ts";

export const FAULTS = ["empty", "ragged", "encoding", "invalid", "unknown"] as const;

/**
 * Why a row leads to nobody: it names no identifier; it has another number of fields than the header; it is not UTF-8; its
 * values identify nobody; nobody is known by them.
 */
export type Fault = (typeof FAULTS)[number];

export interface Row {
  /** As a spreadsheet counts, the header included; of JSON, the position in the list from 1. */
  row: number;
  /** Kinds of identifier that it gives a value for, the strongest first. */
  kinds: IdentifierKind[];
  /** In the same order, without those that identify nobody. */
  identifiers: Identifier[];
  fault: Fault | null;
}

export type GivenIdentifier = string | { [kind in IdentifierKind]?: string | number };

/**
 * @param given a text is a userId
 * @throws Problem for a kind that the site does not have
 */
export function readIdentifiers(given: readonly GivenIdentifier[], identity: IdentityPolicy): Row[] {
  return given.map((value, index) => {
    const row = typeof value === "string" ? { userId: value } : value;
    for (const kind of Object.keys(row)) if (!identity.kinds.has(kind)) throw unknownKind(index, kind, identity);
    const values = [...identity.kinds.keys()].flatMap((kind) =>
      Object.hasOwn(row, kind) ? [[kind, String(row[kind])] as const] : [],
    );
    return toRow(index + 1, values, identity);
  });
}

function unknownKind(index: number, kind: string, identity: IdentityPolicy): Problem {
  const detail = phraseRefusal(identity, kind, "kind");
  const errors = [{ pointer: pointerOf(["identifiers", index, kind]), code: "kind", detail }];
  return new Problem("invalid-request", detail, { errors });
}

/**
 * Reads CSV, with commas, semicolons or tabs. Its header names kinds of identifier among other columns, in any case, with or without
 * `_`, `-` and blanks, or as mailing tools do (`Email Address`). A single column without such a name has no header: it holds userIds.
 *
 * @throws Problem where no row can be told from another: no known column, a quote that is never closed, too many rows
 */
export async function readIdentifierCsv(bytes: Uint8Array, identity: IdentityPolicy): Promise<Row[]> {
  const text = decode(bytes);
  const rows: Row[] = [];
  let columns: (IdentifierKind | null)[] | undefined;
  let number = 0;
  try {
    for await (const fields of readCsv(linesOf(text))) {
      number++;
      if (fields.every((field) => field.trim() === "")) continue;
      if (!columns) {
        const named = fields.map((field) => kindOf(field, identity));
        const isHeader = named.some((kind) => kind !== null);
        if (!isHeader && fields.length > 1) throw unnamed(identity);
        columns = isHeader ? named : ["userId"];
        if (isHeader) continue;
      }
      if (rows.length === UPLOAD_ROWS) throw tooMany();
      rows.push(readFields(number, fields, columns, identity));
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Problem("invalid-request", `A quote that opens in row ${number + 1} is never closed.`);
  }
  return rows;
}

function tooMany(): Problem {
  return new Problem("upload-too-large", `Split the list: it has more than ${UPLOAD_ROWS.toLocaleString("en")} rows.`);
}

function unnamed(identity: IdentityPolicy): Problem {
  const detail = `The first row names no identifier: name a column ${phraseKinds(identity)}.`;
  return new Problem("invalid-request", detail);
}

/** Old spreadsheets end lines by a carriage return alone. */
async function* linesOf(text: string): AsyncGenerator<string> {
  yield text.includes("\n") ? text : text.replaceAll("\r", "\n");
}

/** How mailing tools and spreadsheets head such columns, besides the kind's own name. */
const HEADINGS: ReadonlyMap<string, IdentifierKind> = new Map([
  ["emailaddress", "email"],
  ["emailadresse", "email"],
  ["mail", "email"],
  ["phonenumber", "phone"],
  ["mobile", "phone"],
  ["mobilenumber", "phone"],
  ["telefon", "phone"],
]);

function kindOf(name: string, { kinds }: IdentityPolicy): IdentifierKind | null {
  const plain = plainOf(name);
  const kind = kinds.keys().find((kind) => plainOf(kind) === plain) ?? HEADINGS.get(plain);
  return kind !== undefined && kinds.has(kind) ? kind : null;
}

function plainOf(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, "");
}

/** By its byte order mark UTF-16, as Excel's "Unicode text" is; otherwise UTF-8. */
function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

function readFields(
  row: number,
  fields: readonly string[],
  columns: readonly (IdentifierKind | null)[],
  identity: IdentityPolicy,
): Row {
  if (fields.length !== columns.length) return { row, kinds: [], identifiers: [], fault: "ragged" };
  const values = [...identity.kinds.keys()].flatMap((kind) =>
    fields.flatMap((field, column) =>
      columns[column] === kind && field.trim() !== "" ? [[kind, field] as const] : [],
    ),
  );
  return toRow(row, values, identity);
}

/** @param values strongest first */
function toRow(row: number, values: readonly (readonly [IdentifierKind, string])[], identity: IdentityPolicy): Row {
  const kinds = values.map(([kind]) => kind);
  const identifiers = values.flatMap(([kind, value]) => {
    const identifier = value.includes("\ufffd") ? null : identity.identifierOf(kind, value);
    return identifier === null ? [] : [identifier];
  });
  const isBroken = values.some(([, value]) => value.includes("\ufffd"));
  const fault = identifiers.length ? null : isBroken ? "encoding" : values.length ? "invalid" : "empty";
  return { row, kinds, identifiers, fault };
}
