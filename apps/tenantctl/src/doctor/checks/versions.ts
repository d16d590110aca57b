import { labelNames } from "@deeplens/contracts";
import { type Check, problem, warning } from "../check.ts";
import { npmStart } from "../patient.ts";
import { fleet } from "../services.ts";

/** The fleet is of one version, and the engine has the images that tenants' containers are made from. */
export const versions: Check = {
  name: "versions",
  needs: ["engine"],
  unanswered: npmStart,
  examine: async (patient, signal) => {
    const { engine, stack, installation } = patient;
    const all = await engine.containers({ [labelNames.installation]: installation }, { signal });
    const ours = all.filter(({ name }) => fleet.some((service) => name === `${installation}-${service}`));
    const images = [...new Set(ours.map(({ image }) => image))];
    const wanted = Object.values(stack.images);
    const there = await Promise.all(wanted.map((image) => engine.hasImage(image, { signal })));
    return {
      seen: `Node ${process.versions.node}, fleet ${images.join(" and ") || "not there"}`,
      findings: [
        ...wanted
          .filter((_, index) => there[index] === false)
          .map((image) =>
            problem(`the engine has no image ${image}: no tenant can be made`, npmStart(patient)),
          ),
        ...(images.length <= 1
          ? []
          : [
              warning(
                `the fleet is of more than one version: ${ours.map(({ name, image }) => `${name} ${image}`).join(", ")}`,
                npmStart(patient),
              ),
            ]),
      ],
    };
  },
};
