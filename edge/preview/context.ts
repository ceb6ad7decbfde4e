/** A request as a visitor's browser would tell of itself (`client/runtime/context.ts`), for a person who is not there. */
import type { JsonObject } from "../../shared/event.ts";
import { isObject } from "../ingest/parse.ts";

export const DEVICES = ["desktop", "mobile", "tablet"] as const;
export type Device = (typeof DEVICES)[number];

/** CSS pixels, of devices that many people have. */
const SCREENS: { [device in Device]: { width: number; height: number; density: number } } = {
  desktop: { width: 1440, height: 900, density: 1 },
  mobile: { width: 390, height: 844, density: 3 },
  tablet: { width: 820, height: 1180, density: 2 },
};

export interface Surroundings {
  device?: Device | undefined;
  /** BCP 47. */
  locale?: string | undefined;
  /** IANA. */
  timeZone?: string | undefined;
}

/** What is said of a request field by field wins. Undefined where nothing is said of it. */
export function buildContext(
  { device, locale, timeZone }: Surroundings,
  said: JsonObject | undefined,
): JsonObject | undefined {
  if (!device && !locale && !timeZone) return said;
  return {
    ...(locale && { locale }),
    ...(timeZone && { timezone: timeZone }),
    ...said,
    ...(device && {
      device: layer({ type: device }, said?.["device"]),
      screen: layer(screenOf(device), said?.["screen"]),
    }),
  };
}

function screenOf(device: Device): JsonObject {
  const { width, height, density } = SCREENS[device];
  return { width, height, innerWidth: width, innerHeight: height, density };
}

function layer(preset: JsonObject, said: unknown): unknown {
  return isObject(said) ? { ...preset, ...said } : (said ?? preset);
}
