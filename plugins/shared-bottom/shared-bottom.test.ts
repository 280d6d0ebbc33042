import { describeBackbone } from "#plugin/testing";
import { subjects } from "./contract.ts";
import sharedBottom from "./index.ts";

for (const subject of subjects) describeBackbone(sharedBottom, subject);
