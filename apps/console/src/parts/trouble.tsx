import { wordsOf } from "../api/problem.ts";

/** An error as a person reads it: what happened, and what to do. */
export const Trouble = ({ error }: { readonly error: unknown }) => {
  const { happened, next } = wordsOf(error);
  return (
    <div className="notice bad" role="alert">
      <p>
        <strong>{happened}</strong>
      </p>
      <p className="soft">What to do: {next}</p>
    </div>
  );
};
