/**
 * What there is to compare with: itty-router handlers that answer a constant, do one D1 insert, or pass a page through
 * without a change.
 */
import { AutoRouter, type IRequest } from "itty-router";

interface Env {
  ORIGIN: string;
  DB: {
    prepare(sql: string): { bind(...values: unknown[]): { run(): Promise<unknown> } };
  };
}

interface Row {
  profile_id: string;
  type: string;
  ts: number;
  props: unknown;
}

let constant = "{}";
const router = AutoRouter();

router.put("/constant", async (request: Request) => {
  constant = await request.text();
  return new Response(null, { status: 204 });
});

router.post("/constant", () => new Response(constant, { headers: { "content-type": "application/json" } }));

router.post("/parsed", async (request: Request) => {
  await request.json();
  return new Response(constant, { headers: { "content-type": "application/json" } });
});

router.post("/insert", async (request: Request, env: Env) => {
  const row = (await request.json()) as Row;
  await env.DB.prepare("INSERT INTO rows (profile_id, type, ts, props) VALUES (?1, ?2, ?3, ?4)")
    .bind(row.profile_id, row.type, row.ts, JSON.stringify(row.props))
    .run();
  return Response.json({ success: true });
});

router.post("/inserts", async (request: Request, env: Env) => {
  await env.DB.prepare(
    `INSERT INTO rows (profile_id, type, ts, props)
     SELECT value ->> 'profile_id', value ->> 'type', value ->> 'ts', value -> 'props' FROM json_each(?1)`,
  )
    .bind(await request.text())
    .run();
  return Response.json({ success: true });
});

/** Looks for slots, and leaves them as they are. */
router.get("/through/:page", async ({ params }: IRequest, { ORIGIN }: Env) =>
  new HTMLRewriter().on("[data-attune-slot]", { element() {} }).transform(await fetch(`${ORIGIN}/${params["page"]}`)),
);

export default { fetch: router.fetch };
