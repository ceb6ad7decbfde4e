import { expect, it } from "vitest";
import { signToken, verifyToken } from "../../edge/tokens.ts";

const OLD = "old-secret-0123456789abcdef0123456789abcdef";
const NEW = "new-secret-0123456789abcdef0123456789abcdef";
const payload = { siteId: "s", profileId: "p", send: "spring", expiresAt: 1 };

it("is believed under the secret that signed it and the one before, asked for the first time or again", async () => {
  const token = await signToken({ ATTUNE_SECRET: OLD }, "email", payload);
  for (let time = 1; time <= 2; time++) {
    expect(await verifyToken({ ATTUNE_SECRET: OLD }, "email", token)).toEqual(payload);
    expect(await verifyToken({ ATTUNE_SECRET: NEW, ATTUNE_SECRET_PREVIOUS: OLD }, "email", token)).toEqual(payload);
    expect(await verifyToken({ ATTUNE_SECRET: NEW }, "email", token)).toBeNull();
    expect(await verifyToken({ ATTUNE_SECRET: OLD }, "profile", token)).toBeNull();
    expect(await verifyToken({ ATTUNE_SECRET: OLD }, "email", `${token}A`)).toBeNull();
  }
});
