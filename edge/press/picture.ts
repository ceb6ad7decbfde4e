/** Pictures of a card, fetched from where its author's shop keeps them: few, small, quickly, and from public hosts only. */

/** A card with more has the others' rooms empty. */
const PICTURES = 5;
const PICTURE_BYTES = 1_000_000;
/** What a decoder holds in memory at once is 4 bytes for each. */
const PICTURE_PIXELS = 8_000_000;
const PICTURE_MS = 2_000;
const REDIRECTS = 3;
/** How long Cloudflare's cache keeps one, whatever its shop says of it. */
const CACHE_SECONDS = 300;

export interface Picture {
  /** `data:` URL. */
  src: string;
  width: number;
  height: number;
}

/** Pictures by their URLs; those that could not be had are left out. */
export async function fetchPictures(urls: ReadonlySet<string>): Promise<Map<string, Picture>> {
  const wanted = [...urls].slice(0, PICTURES);
  const fetched = await Promise.all(wanted.map(async (url) => [url, await fetchPicture(url)] as const));
  return new Map(fetched.filter((entry): entry is readonly [string, Picture] => entry[1] !== undefined));
}

async function fetchPicture(url: string): Promise<Picture | undefined> {
  try {
    const response = await fetchPublic(url, AbortSignal.timeout(PICTURE_MS));
    const bytes = await readBytes(response);
    const size = bytes && readPictureSize(bytes);
    if (!size || size.width * size.height > PICTURE_PIXELS) return undefined;
    return { src: `data:${size.type};base64,${bytes.toBase64()}`, width: size.width, height: size.height };
  } catch {
    return undefined; // no such host, too slow, cut short
  }
}

async function fetchPublic(from: string, signal: AbortSignal): Promise<Response> {
  let url = new URL(from);
  for (let hops = 0; hops <= REDIRECTS && isPublic(url); hops++) {
    const response = await fetch(url, {
      redirect: "manual",
      signal,
      headers: { accept: "image/png, image/jpeg, image/gif" },
      cf: { cacheEverything: true, cacheTtlByStatus: { "200-299": CACHE_SECONDS } },
    });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || !location) return response;
    await response.body?.cancel();
    url = new URL(location, url);
  }
  return Response.error();
}

/** https at its own port, of a host with a name that the public DNS can know: neither an address nor a local name. */
export function isPublic({ protocol, username, password, port, hostname }: URL): boolean {
  if (protocol !== "https:" || username || password || port) return false;
  return (
    /\.[a-z][a-z0-9-]*[a-z0-9]\.?$/.test(hostname) && !/\.(local|localhost|internal|arpa|lan|home)\.?$/.test(hostname)
  );
}

async function readBytes(response: Response): Promise<Uint8Array | undefined> {
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    return undefined;
  }
  const bytes = new Uint8Array(PICTURE_BYTES);
  let length = 0;
  for await (const chunk of response.body) {
    if (length + chunk.length > PICTURE_BYTES) return undefined;
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return bytes.subarray(0, length);
}

/** Read from the headers of PNG, GIF and JPEG files, whatever their server calls them. */
export function readPictureSize(bytes: Uint8Array): { type: string; width: number; height: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = (type: string, width: number, height: number) => (width && height ? { type, width, height } : undefined);
  try {
    if (view.getUint32(0) === 0x89504e47) return size("image/png", view.getUint32(16), view.getUint32(20));
    if (view.getUint32(0) === 0x47494638) return size("image/gif", view.getUint16(6, true), view.getUint16(8, true));
    if (view.getUint16(0) !== 0xffd8) return undefined;
    // Segments of a JPEG: marker, length, content; the size stands in the frame's (SOF, ITU T.81 B.2.2).
    for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
      const marker = view.getUint16(at);
      const isFrame = marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
      if (isFrame) return size("image/jpeg", view.getUint16(at + 7), view.getUint16(at + 5));
      if (marker < 0xffc0 || marker === 0xffd9) return undefined;
    }
  } catch {
    return undefined; // it ends before its size
  }
}
