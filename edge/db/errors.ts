/** Which of D1's errors mean "not now" rather than "never". */

/**
 * True where the database was too busy, restarted, or out of reach, or was asked more often than one invocation may: the same
 * may succeed a little later.
 */
export function isOverload(error: unknown): boolean {
  return (
    error instanceof Error &&
    /overloaded|queued for too long|connection lost|storage operation exceeded|reset because|internal error|timeout|locked|Durable Object|by single worker invocation/i.test(
      error.message,
    )
  );
}
