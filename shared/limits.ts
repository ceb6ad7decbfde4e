/** Limits of the wire and of the language; each is documented where a user meets it. */
export const EVENT_BYTES = 32 * 1024;
export const BATCH_BYTES = 500 * 1024;
/** Events in one batch. */
export const BATCH_EVENTS = 2_500;
/** A list of members in CSV. */
export const UPLOAD_BYTES = 1_000_000;
export const UPLOAD_ROWS = 10_000;
export const PROPERTIES_DEPTH = 12;
/** Distinct traits that one identifier may hold of one source; more are not kept, and named in the answer. */
export const TRAITS_PER_IDENTIFIER = 500;
/** All traits of one identifier from one source, as JSON. */
export const TRAITS_CHARACTERS = 64 * 1024;
export const IDENTIFIER_LENGTH = 256;
/** Identifiers one profile may hold, whatever a site allows of each kind. */
export const PROFILE_IDENTIFIERS = 200;
/** Of one message's `context.externalIds`, so many are looked at. */
export const EXTERNAL_IDS = 20;
export const NAME_LENGTH = 256;
/** Newest events of names that any rule uses, kept for deciding. */
export const HISTORY_EVENTS = 1_000;
export const CONDITION_DEPTH = 12;
export const CONDITION_NODES = 300;
export const CONDITION_BYTES = 64 * 1024;
export const WINDOW_DAYS = 730;
export const TEMPLATE_BYTES = 64 * 1024;
/** Segments that refer to one another, one behind the other. */
export const SEGMENT_CHAIN = 50;
