/** What the contract is shown for, in the test and by `autoifs plugins check`. */
import type { Configuration } from "#plugin/testing";

export const subjects: readonly Configuration[] = [{ config: { layers: [8, 6] } }];
