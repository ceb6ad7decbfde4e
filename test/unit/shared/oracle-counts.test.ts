import { itAgreesWithTheOracle } from "./oracle-cases.ts";

itAgreesWithTheOracle("counts");
