import { Option } from "commander";
import { actAsPlanned } from "../planned.ts";
import { Refused } from "../refused.ts";
import { acting, type Commands } from "../session.ts";
import { type ActOptions, actOnTenant, reasonFlag, yesFlag } from "../tenant-act.ts";
import { tenantReference } from "../tenant-reference.ts";

interface BackupOptions extends ActOptions {
  readonly drill?: boolean;
}

export const addBackup = (commands: Commands): void => {
  commands.program
    .command("backup")
    .argument("<name>", "the tenant's name, slug or id")
    .description("take a backup of a tenant now, and read it back")
    .option("--drill", "restore the newest one for a trial instead, compare, and leave nothing of it")
    .option(...reasonFlag)
    .addHelpText(
      "after",
      "\nExamples:\n  $ tenantctl backup acme\n  $ tenantctl backup acme --drill      proves that the newest one can be restored",
    )
    .action(
      acting<BackupOptions, [string]>(commands, async (session, name) => {
        const api = session.api();
        const tenant = await api.tenant(tenantReference(name));
        const act = session.options.drill === true ? "drill" : "backup";
        return actOnTenant(
          { ...session, options: { reason: `an operator's ${act}`, ...session.options } },
          api,
          tenant,
          act,
        );
      }),
    );
};

export const addBackups = (commands: Commands): void => {
  commands.program
    .command("backups")
    .argument("<name>", "the tenant's name, slug or id")
    .description("list a tenant's backups, the newest first")
    .addHelpText("after", "\nExamples:\n  $ tenantctl backups acme")
    .action(
      acting<ActOptions, [string]>(commands, async (session, name) => {
        const api = session.api();
        const tenant = await api.tenant(tenantReference(name));
        const options = { ...session.options, reason: "an operator looks" };
        return actOnTenant({ ...session, options }, api, tenant, "backups");
      }),
    );
};

export const backupParts = ["all", "database", "vectors"] as const;

interface RestoreOptions extends ActOptions {
  readonly part: (typeof backupParts)[number];
  readonly back?: boolean;
  readonly end?: boolean;
}

export const addRestoreBackup = (commands: Commands): void => {
  commands.program
    .command("restore-backup")
    .argument("<name>", "the tenant's name, slug or id")
    .argument("[backup]", "the backup's id, as `backups` lists it")
    .description("make a tenant what one of its backups holds, or switch back")
    .addOption(new Option("--part <part>", "what of it").choices(backupParts).default("all"))
    .option("--back", "switch back to what was live before the last restore, while it is kept")
    .option("--end", "drop what the last restore replaced, and switch back no more")
    .option(...reasonFlag)
    .option(...yesFlag)
    .addHelpText(
      "after",
      '\nExamples:\n  $ tenantctl restore-backup acme 20261124T020000Z-00abff --reason "deleted by mistake"\n  $ tenantctl restore-backup acme --back --reason "it was the wrong one"',
    )
    .action(
      acting<RestoreOptions, [string, string | undefined]>(commands, async (session, name, backup) => {
        const { back = false, end = false, part } = session.options;
        if ([backup !== undefined, back, end].filter(Boolean).length !== 1)
          throw new Refused(
            "usage",
            "say one of the three: a backup's id, --back or --end",
            `list the backups: tenantctl backups ${name}`,
          );
        const api = session.api();
        const tenant = await api.tenant(tenantReference(name));
        if (backup === undefined)
          return actAsPlanned(session, api, tenant, end ? "restore-end" : "restore-back");
        if (!/^\d{8}T\d{6}Z-[0-9a-f]{6}$/.test(backup))
          throw new Refused("usage", `"${backup}" is no backup's id`, `list them: tenantctl backups ${name}`);
        return actAsPlanned(session, api, tenant, "restore-backup", { restore: { backup, parts: part } });
      }),
    );
};
