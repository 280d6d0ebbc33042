/**
 * Which definitions the figures of a run follow. One more whenever a metric of this folder is defined otherwise, so that
 * figures from before are not taken for figures from after.
 */
export const metricDefinitions = 1;
