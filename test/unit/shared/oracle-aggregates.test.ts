import { itAgreesWithTheOracle } from "./oracle-cases.ts";

itAgreesWithTheOracle("aggregates");
