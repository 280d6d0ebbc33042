/** `autoifs backup` and `autoifs restore`. They work on the data folder of this machine and ask no server. */
import { backupInstallation, restoreInstallation } from "../../app.ts";
import { loadConfig } from "../../config.ts";
import type { Command } from "../command.ts";

/** What either of them tells of a backup. */
type Manifest = Awaited<ReturnType<typeof backupInstallation>>;

export const backupCommands: readonly Command[] = [
  {
    name: "backup",
    takes: ["<folder>"],
    summary: "Copy the database and all artifacts of the data folder to a new folder",
    details:
      "Servers and workers may run and write meanwhile; the copy is of one moment. The data folder is AUTOIFS_DATA of this machine. Files for datasets (AUTOIFS_FILES) are not copied: what was imported from them is. The copy holds the secrets of webhooks.",
    isLocal: true,
    example: "backup /backups/monday",
    async run({ args, env }) {
      const folder = args["folder"]!;
      const manifest = await backupInstallation(loadConfig(env), folder);
      return { json: { folder, ...manifest }, text: `${folder}: ${described(manifest)}\n` };
    },
  },
  {
    name: "restore",
    takes: ["<folder>"],
    summary: "Make the data folder of a backup",
    details:
      "AUTOIFS_DATA says where: there must be no database and no artifacts yet. Every file is checked against its hash; where one is damaged nothing is made. Begin the server afterwards.",
    isLocal: true,
    example: "restore /backups/monday",
    async run({ args, env }) {
      const config = loadConfig(env);
      const manifest = await restoreInstallation(config, args["folder"]!);
      const text = `restored ${described(manifest)}, as of ${manifest.createdAt}\n`;
      return { json: { databaseFile: config.databaseFile, ...manifest }, text };
    },
  },
];

function described({ database, artifacts }: Manifest): string {
  return `a database of ${database.bytes} bytes and ${artifacts.count} artifacts of ${artifacts.bytes} bytes`;
}
