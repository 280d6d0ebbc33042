/** What the contract is shown for, in the test and by `autoifs plugins check`. */
import type { Configuration } from "#plugin/testing";

const config = { levels: [[8], [6]], specificExperts: 2, sharedExperts: 3 };

export const subjects: readonly Configuration[] = [
  { config },
  { label: "one level (CGC), deep experts", config: { levels: [[8, 6]] } },
  { label: "no shared experts", config: { ...config, sharedExperts: 0 } },
];
