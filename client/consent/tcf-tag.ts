/** The tag's entry, `attune.tcf.js`. */
import { connectTcf } from "./tcf.ts";

connectTcf();
