import { engineSuite } from "./engine.suite.ts";

engineSuite("the container engine", process.env.DOCKER_HOST ?? "");
