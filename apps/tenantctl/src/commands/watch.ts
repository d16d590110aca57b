import { followToEnd, tellEnd } from "../follow.ts";
import { sagaIdOf } from "../saga-reference.ts";
import { acting, type Commands } from "../session.ts";

export const addWatch = (commands: Commands): void => {
  commands.program
    .command("watch")
    .argument("<name>", "the tenant's name or slug, or a saga's id")
    .description("follow a tenant's saga to its end")
    .addHelpText("after", "\nExamples:\n  $ tenantctl watch acme")
    .action(
      acting<unknown, [string]>(commands, async (session, name) => {
        const api = session.api();
        const sagaId = await sagaIdOf(api, name);
        const { slug } = await api.saga(sagaId);
        return tellEnd(session, api, await followToEnd(session, api, sagaId, slug));
      }),
    );
};
