import { Link } from "@tanstack/react-router";
import { Empty } from "../parts/empty.tsx";
import { Heading } from "../parts/heading.tsx";

export const Missing = () => (
  <>
    <Heading title="No such screen" />
    <Empty title="This address leads nowhere.">
      It may be of another version of the console. Begin at <Link to="/">the first screen</Link>.
    </Empty>
  </>
);
