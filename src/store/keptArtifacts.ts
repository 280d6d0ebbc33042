/**
 * While artifacts are copied none is taken away: whoever copies leaves a file in the folder `kept`, and whoever takes away
 * looks there first. What is spared so is taken by a later `sweep`.
 *
 * The copy is of a state of the database from after the file was made. An artifact that somebody was about to take away
 * before that was needed by nothing any more, so the copied state does not need it either.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Milliseconds after which a copy whose process is gone counts for nothing. */
const forgottenAfter = 3_600_000;

export interface Keeping {
  /** To be called at least every half an hour. */
  goOn(): Promise<void>;
  end(): Promise<void>;
}

/** `folder` is that of the artifacts. */
export async function keepArtifacts(folder: string): Promise<Keeping> {
  const file = join(folder, "kept", randomUUID());
  await mkdir(join(folder, "kept"), { recursive: true });
  await writeFile(file, "");
  return {
    goOn: () => utimes(file, new Date(), new Date()),
    end: () => rm(file, { force: true }),
  };
}

/** True while somebody copies; forgotten copies are cleared away. */
export async function areKept(folder: string): Promise<boolean> {
  let kept = false;
  for (const name of await readdir(join(folder, "kept")).catch(() => [])) {
    const file = join(folder, "kept", name);
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Infinity }));
    const isForgotten = mtimeMs < Date.now() - forgottenAfter;
    if (isForgotten) await rm(file, { force: true });
    else kept ||= mtimeMs !== Infinity;
  }
  return kept;
}
