/** A reporter: names the tests that failed at first and passed when tried again. Each is a race, of the test or of Attune. */
import type { Reporter, TestCase } from "vitest/node";

export default class Unsteady implements Reporter {
  readonly #names: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky) this.#names.push(`${test.module.relativeModuleId} > ${test.fullName}`);
  }

  onTestRunEnd(): void {
    for (const name of this.#names) console.log(`unsteady: ${name}`);
  }
}
