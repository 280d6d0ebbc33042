/** The fence: inside a transaction, before a worker's write, its job is still its own. */
import { ConflictError } from "../errors.ts";
import type { Lease } from "./rows.ts";
import type { DatabaseTransaction } from "./sqlite.ts";

/** Which row of Job the lease is about, if it still holds. */
export function heldJob({ jobId, owner, attempt }: Lease) {
  return { id: jobId, state: "RUNNING", owner, attempt };
}

/** Throws ConflictError where the job is not this worker's any more; otherwise nobody can take it until the commit. */
export async function assertHeld(tx: DatabaseTransaction, lease: Lease): Promise<void> {
  // A write that changes nothing, because it locks the row in every database.
  const held = await tx.job.updateMany({ where: heldJob(lease), data: { attempt: lease.attempt } });
  if (held.count === 0) throw leaseLost(lease);
}

/** Ends the job with its work done; throws ConflictError as `assertHeld`. */
export async function closeJob(tx: DatabaseTransaction, lease: Lease): Promise<void> {
  const closed = await tx.job.updateMany({ where: heldJob(lease), data: { state: "DONE", leaseExpiresAt: null } });
  if (closed.count === 0) throw leaseLost(lease);
}

export function leaseLost({ jobId, owner, attempt }: Lease): ConflictError {
  return new ConflictError(
    `job ${jobId}: expected ${owner} to hold it in attempt ${attempt}, but it does not any more`,
    {
      hint: "its run was cancelled, or the lease ran out and another worker was given the job; stop working on it",
    },
  );
}
