/** What GraphiQL shows at first: a tab for each of the common things to do, in the order in which one does them. */

export interface Example {
  /** One operation, whose name is the title of the tab. */
  readonly query: string;
  /** As the person at the page fills them in. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

export const examples: readonly Example[] = [
  {
    query: `# The newest runs with their test figures per scenario and task.
# Ctrl-Enter runs it, Ctrl-Space completes, the book icon at the left shows the whole API; the tabs above hold more examples.
# Where the server asks for a token, put it under Headers below: { "authorization": "Bearer ..." }
query NewestRuns {
  runs(first: 5) {
    nodes {
      id
      kind
      state
      backbone { name }
      matrix {
        meanAuc
        cells { scenario { key } task { key } auc logloss rows positives }
      }
    }
  }
}
`,
  },
  {
    query: `# A place where items are shown, something to predict there, and a file from the data folder that has rows of both.
mutation Register($scenario: RegisterScenarioInput!, $task: RegisterTaskInput!, $dataset: RegisterDatasetInput!) {
  registerScenario(input: $scenario) { scenario { id } userErrors { code field message hint } }
  registerTask(input: $task) { task { id } userErrors { code field message hint } }
  registerDataset(input: $dataset) { dataset { id status } created userErrors { code field message hint } }
}
`,
    variables: {
      scenario: { key: "home_feed", name: "Home feed" },
      task: { key: "click", name: "Click" },
      dataset: {
        name: "week-1",
        file: "week-1.csv",
        fields: [{ column: "user" }, { column: "item" }],
        scenario: { column: "page", values: [{ value: "home", scenario: "home_feed" }] },
        labels: [{ column: "clicked", task: "click" }],
        split: { kind: "RANDOM", seed: 1 },
      },
    },
  },
  {
    query: `# Answers at once with a QUEUED run; FollowRun, the next tab, shows how it gets on.
# "datasets { nodes { id } }" has the ids, and "plugins { name }" the backbones to choose from.
mutation Train($input: TrainModelInput!) {
  trainModel(input: $input) {
    run { id kind state }
    userErrors { code field message hint }
  }
}
`,
    variables: {
      input: { dataset: "ds_...", backbone: { plugin: "..." }, head: { kind: "AUTOIFS" }, seed: 1 },
    },
  },
  {
    query: `# Everything that happens to a run, from its beginning, as it happens.
subscription FollowRun($run: ID!) {
  runProgress(id: $run) {
    sequence
    at
    kind
    state { state attempt stopReason error { code message } }
    progress { phase epoch step steps }
    epoch { epoch epochs meanAuc }
  }
}
`,
    variables: { run: "run_..." },
  },
  {
    query: `# Which of two models is better where, and which differences may be chance.
query Compare($baseline: [ID!]!, $candidate: [ID!]!) {
  compareRuns(baseline: $baseline, candidate: $candidate) {
    auc { better worse withinNoise none }
    cells {
      scenario { key }
      task { key }
      rows
      auc { baseline candidate difference low high verdict reason }
    }
  }
}
`,
    variables: { baseline: ["run_..."], candidate: ["run_..."] },
  },
];
