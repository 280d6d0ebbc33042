/** Tests run at the priority of the workers they begin, which would get no time beside them otherwise. */
import { setPriority } from "node:os";

setPriority(19);
