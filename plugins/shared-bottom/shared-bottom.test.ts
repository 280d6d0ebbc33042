import { describeBackbone } from "#plugin/testing";
import sharedBottom from "./index.ts";

describeBackbone(sharedBottom, { config: { layers: [16, 8] } });
describeBackbone(sharedBottom, {
  label: "batch norm and dropout",
  config: { layers: [16, 8], batchNorm: true, dropout: 0.5 },
});
