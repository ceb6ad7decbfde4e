/** What the Worker holds after a replay, asked through the developer API: how many profiles, and the size of each segment. */
import { type Api, callApi } from "../api.ts";
import { formatCount } from "./progress.ts";

/** Segments beyond these are not worth a line each. */
const SEGMENTS_SHOWN = 100;

/** Lines to print. @throws {Failure} when the API refuses the key. */
export async function readState(api: Api): Promise<string[]> {
  const sites = await callApi<{ data: { id: string }[] }>(api, "GET", "/api/sites");
  const size = await callApi<{ profiles: number; events: number }>(
    api,
    "GET",
    `/api/sites/${sites.body.data[0]!.id}/size`,
  );
  const list = await callApi<{ data: { key: string; status: string }[] }>(
    api,
    "GET",
    `/api/segments?limit=${SEGMENTS_SHOWN}`,
  );
  const keys = list.body.data.filter(({ status }) => status === "active").map(({ key }) => key);
  const width = Math.max(...keys.map((key) => key.length));
  const lines = [`profiles  ${formatCount(size.body.profiles)}`, `events    ${formatCount(size.body.events)}`];
  if (keys.length > 0) lines.push("segments");
  for (const key of keys) {
    const { members } = (await callApi<{ members: number }>(api, "GET", `/api/segments/${key}`)).body;
    lines.push(`  ${key.padEnd(width)}  ${formatCount(members)}`);
  }
  return lines;
}
