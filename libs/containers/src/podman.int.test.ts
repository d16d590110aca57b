import { after, test } from "node:test";
import { engineSuite } from "./engine.suite.ts";
import { startOwnPodman, whyNoPodman } from "./testing/own-podman.ts";

// Seen to fail before there were: filters held to all labels (Podman lists the volumes that bear any of them), a name
// that is taken told by a 500, a volume in use told in other words, Podman's own call for limits, and its statistics of
// a stopped container without any of memory.
const why = await whyNoPodman();
if (why === undefined) {
  const podman = await startOwnPodman();
  after(podman.remove);
  await podman.take("debian:bookworm-slim");
  engineSuite("Podman as the container engine", podman.host);
} else test("Podman as the container engine", { skip: why });
