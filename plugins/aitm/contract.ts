/** What the contract is shown for, in the test and by `autoifs plugins check`. */
import type { Configuration } from "#plugin/testing";

const config = { layers: [8, 6] };

export const subjects: readonly Configuration[] = [
  { config },
  {
    label: "maps of every transition, with dropout and the calibrator",
    config: { ...config, attention: "transition", dropout: 0.1, calibratorWeight: 0.6 },
  },
];
