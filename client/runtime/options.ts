/** What the site says of itself, by attributes of the script tag or by arguments. */
import type { ConsentMode } from "../../shared/consent.ts";

export interface Options {
  /** The site's write key, `pk_…`. */
  key: string;
  /** Origin of the Worker. */
  host?: string;
  /** Where its public plane is there. Default: `/a`. */
  path?: string;
  /** What a visitor who has not chosen yet has allowed. Default: what the site's settings say. */
  consent?: ConsentMode;
  /** Do Not Track counts as a refusal of everything. On the tag: the attribute is there. */
  dnt?: boolean | string;
  /** `off`: the site calls `page()` itself. Default: each page, and each step inside a single-page app, is viewed by itself. */
  pages?: "off";
  /** Name of the query parameter that holds what a visitor searched the site for. */
  search?: string;
}

export const isMode = (value: unknown): value is ConsentMode => /^(off|memory|session|full)$/.test(value as string);
