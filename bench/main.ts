/** `npm run bench -- <name> [--json] [--option value ...]`: one file per benchmark; figures as a table or as JSON. */
import * as api from "./api.ts";
import * as backbones from "./backbones.ts";
import * as coldadd from "./coldadd.ts";
import * as fuzz from "./fuzz.ts";
import * as leaderboard from "./leaderboard.ts";
import * as kills from "./kills.ts";
import * as kuairand from "./kuairand.ts";
import * as metrics from "./metrics.ts";
import * as responsiveness from "./responsiveness.ts";
import * as noise from "./noise.ts";
import * as predictHttp from "./predictHttp.ts";
import * as runs from "./runs.ts";
import * as serving from "./serving.ts";
import * as selection from "./selection.ts";
import * as synth from "./synth.ts";
import * as training from "./training.ts";
import { type Options, parseOptions } from "./options.ts";

interface Benchmark {
  readonly summary: string;
  run(options: Options): Promise<Readonly<Record<string, unknown>>>;
}

const benchmarks: Readonly<Record<string, Benchmark>> = {
  training,
  responsiveness,
  synth,
  selection,
  kuairand,
  metrics,
  runs,
  kills,
  noise,
  api,
  fuzz,
  serving,
  "predict-http": predictHttp,
  coldadd,
  backbones,
  leaderboard,
};

const [name, ...args] = process.argv.slice(2);
const benchmark = name === undefined ? undefined : benchmarks[name];
if (!benchmark) {
  console.error("usage: npm run bench -- <name> [--json] [--option value ...]");
  for (const [known, { summary }] of Object.entries(benchmarks)) console.error(`  ${known.padEnd(15)} ${summary}`);
  process.exit(2);
}
const results = await benchmark.run(parseOptions(args.filter((arg) => arg !== "--json")));
if (args.includes("--json")) console.log(JSON.stringify(results));
else for (const [key, value] of Object.entries(results)) console.log(`${key.padEnd(28)} ${JSON.stringify(value)}`);
