import { type FormEvent, useState } from "react";
import { signIn } from "../api/session.ts";
import { Field } from "../parts/field.tsx";
import { Heading } from "../parts/heading.tsx";

/** The way in by a key. */
export const SignIn = () => {
  const [key, setKey] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (key.trim() !== "") signIn(key.trim());
  };
  return (
    <main className="page sign-in">
      <Heading title="Sign in" />
      <form className="panel stack" onSubmit={submit}>
        <Field
          label="API key"
          hint={
            <>
              On the machine of the installation <code>tenantctl config get token-file</code> says where it
              is. It is kept in this tab only.
            </>
          }
        >
          {(wiring) => (
            <input
              {...wiring}
              className="input"
              type="password"
              autoComplete="off"
              value={key}
              onChange={(event) => setKey(event.target.value)}
            />
          )}
        </Field>
        <div>
          <button type="submit" className="button main">
            Sign in
          </button>
        </div>
      </form>
    </main>
  );
};
