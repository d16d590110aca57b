import { setTimeout as delay } from "node:timers/promises";
import type { Admin } from "@deeplens/messaging";

/**
 * Removes the topics and groups whose names begin so. A group whose member was killed lately is not empty for as long as
 * its session: it is tried for ten seconds.
 */
export const removeTopicsAndGroups = async (admin: Admin, prefix: string): Promise<void> => {
  for (let tries = 0; ; tries++) {
    try {
      const { groups } = await admin.listGroups();
      const own = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(prefix));
      if (own.length > 0) await admin.deleteGroups(own);
      break;
    } catch (error) {
      if (tries === 10) throw error;
      await delay(1_000);
    }
  }
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
  if (topics.length > 0) await admin.deleteTopics({ topics });
};
