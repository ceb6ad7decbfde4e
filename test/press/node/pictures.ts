/** The web as the press sees it in tests: hosts that serve pictures well, badly, slowly, or by redirects. Runs in Node. */
import { crc32, deflateSync } from "node:zlib";
import { Response } from "miniflare";

const RED = png(40, 40, [255, 0, 0]);

export async function servePictures(request: { url: string }): Promise<Response> {
  const url = new URL(request.url);
  const redirect = (to: string) => new Response(null, { status: 302, headers: { location: to } });
  switch (`${url.host}${url.pathname}`) {
    case "pictures.example/red.png":
      return new Response(RED);
    case "pictures.example/large-red.png":
      return new Response(png(800, 600, [255, 0, 0]));
    case "pictures.example/wide-green.png":
      return new Response(png(400, 100, [0, 160, 0]));
    case "pictures.example/moved":
      return redirect("https://pictures.example/red.png");
    case "pictures.example/for-ever":
      return redirect("https://pictures.example/for-ever");
    case "pictures.example/to-http":
      return redirect("http://pictures.example/red.png");
    case "pictures.example/to-private":
      return redirect("https://192.168.0.1/red.png");
    case "pictures.example/large":
      return new Response(Buffer.concat([RED, Buffer.alloc(1_000_000)]));
    case "pictures.example/bomb":
      return new Response(png(40_000, 40_000, [255, 0, 0], 1));
    case "pictures.example/broken.png":
      return new Response(RED.subarray(0, 60));
    case "pictures.example/cut":
      return new Response(RED.subarray(0, 20));
    case "pictures.example/page":
      return new Response("<html>", { headers: { "content-type": "image/png" } });
    case "pictures.example/slow":
      await new Promise((resolve) => setTimeout(resolve, 6_000).unref());
      return new Response(RED);
    case "pictures.example/endless":
      return new Response(new ReadableStream({ start: (stream) => stream.enqueue(RED.subarray(0, 60)) }));
    case "pictures.example/missing":
      return new Response(RED, { status: 404 });
    default:
      // Whoever comes here went where nobody should go: the card shows it.
      return new Response(RED);
  }
}

/** One colour all over. @param rows that the file really has */
function png(width: number, height: number, color: number[], rows = height): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.from([0, ...Array.from({ length: width }, () => color).flat()]);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(Buffer.concat(Array.from({ length: rows }, () => row)));
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(type), data]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
