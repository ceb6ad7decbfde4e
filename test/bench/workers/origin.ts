/** A shop's own server: the same page of some 30 kB for everybody, by how many slots are in it. */
const SLOTS = ["shared", "context", "grid"];

const CARDS = Array.from(
  { length: 96 },
  (_, index) => `    <li class="card"><a class="card-link" href="/p/shoe-${index}">
      <img loading="lazy" width="320" height="320" src="/i/shoe-${index}.webp" alt="Running shoe ${index}">
      <h3 class="card-name">Running shoe ${index}</h3><b class="price">€ ${80 + index}.00</b></a>
      <button type="button" class="card-add" data-add="shoe-${index}">Add to cart</button>
    </li>`,
);

const PAGES: { [path: string]: Uint8Array } = Object.fromEntries(
  [1, 3].map((slots) => [`/${slots}`, new TextEncoder().encode(buildPage(slots))]),
);

function buildPage(slots: number): string {
  const marked = SLOTS.slice(0, slots).map((slot) => `<div data-attune-slot="${slot}"><p>Welcome</p></div>`);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>A shop</title><link rel="stylesheet" href="/shop.css"></head>
<body>
  <main>
${marked.join("\n")}
  <ul class="cards">
${CARDS.join("\n")}
  </ul>
  </main>
</body>
</html>`;
}

export default {
  fetch(request: Request): Response {
    const page = PAGES[new URL(request.url).pathname];
    if (!page) return new Response(null, { status: 404 });
    return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
  },
};
