import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { call } from "../../api/call.ts";
import { Heading } from "../../parts/heading.tsx";
import { PlanView } from "../../parts/plan-view.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { type CredentialFields, credentialsOf, noCredentials } from "./credential-fields.ts";
import { OwnStorage } from "./own-storage.tsx";
import { TextField } from "./text-field.tsx";
import { check, emptyWish, notYet, requestOf, type Wish } from "./wish.ts";

const newKey = (): string =>
  `console-${Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;

/** Asks for a tenant: what it will be stands beside the form, before anything is sent. */
export const NewTenant = () => {
  const [wish, setWish] = useState<Wish>(emptyWish);
  const [fields, setFields] = useState<CredentialFields>(noCredentials);
  const [wasSent, setSent] = useState(false);
  const navigate = useNavigate();
  const plan = usePlan(wish);
  // The same key for the same wish: a second click, or a repeat after a lost answer, is the same request.
  const key = useRef(newKey());
  const change = (part: Partial<Wish>): void => {
    key.current = newKey();
    setWish({ ...wish, ...part });
  };
  const checked = check(wish);
  const credentials = wish.storage === "byos" ? credentialsOf(wish.provider, fields) : undefined;
  const wrongAt = (field: string): string | undefined =>
    wasSent && !checked.ok && checked.field === field ? checked.message : undefined;

  const asking = useMutation({
    mutationFn: async () => {
      const reference = credentials?.ok === true ? await dropOff(credentials.credentials) : "";
      return call("POST /v1/tenants", {
        body: requestOf(wish, reference),
        headers: { "idempotency-key": key.current },
      });
    },
    onSuccess: async ({ sagaId, tenantId }) =>
      sagaId === null
        ? navigate({ to: "/tenants/$tenant", params: { tenant: tenantId } })
        : navigate({ to: "/sagas/$sagaId", params: { sagaId } }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setSent(true);
    if (checked.ok && credentials?.ok !== false) asking.mutate();
  };
  return (
    <>
      <Heading title="New tenant" note="Nothing is made before you ask for it." />
      <form className="columns" onSubmit={submit} noValidate>
        <div className="panel stack">
          <TextField
            label="Name"
            value={wish.name}
            wrong={wrongAt("name")}
            onChange={(name) => change({ name })}
          />
          <Choices
            title="Tier"
            value={wish.tier}
            options={[
              ["free", "Free: 1 GiB, 5 users"],
              ["professional", "Professional: 50 GiB, 50 users"],
              ["enterprise", "Enterprise: 500 GiB, 1,000 users"],
            ]}
            onChange={(tier) => change({ tier })}
          />
          <Choices
            title="Storage"
            value={wish.storage}
            options={[
              ["deeplens", "A bucket of ours"],
              ["byos", "The customer's own cloud (S3, Azure, Google)"],
              ["none", "None"],
            ]}
            onChange={(storage) => change({ storage })}
          />
          {wish.storage === "byos" && (
            <OwnStorage
              wish={wish}
              change={change}
              fields={fields}
              setFields={setFields}
              wrongAt={wrongAt}
              wrongCredentials={wasSent && credentials?.ok === false ? credentials.message : undefined}
            />
          )}
          <fieldset className="stack">
            <legend>First administrator</legend>
            <TextField
              label="E-mail"
              type="email"
              value={wish.email}
              wrong={wrongAt("administrator.email")}
              onChange={(email) => change({ email })}
            />
            <div className="columns">
              <TextField
                label="First name"
                value={wish.firstName}
                wrong={wrongAt("administrator.firstName")}
                onChange={(firstName) => change({ firstName })}
              />
              <TextField
                label="Last name"
                value={wish.lastName}
                wrong={wrongAt("administrator.lastName")}
                onChange={(lastName) => change({ lastName })}
              />
            </div>
          </fieldset>
        </div>
        <div className="stack">
          <section className="panel" aria-labelledby="plan">
            <h2 id="plan">The plan</h2>
            {plan === undefined ? (
              <p className="soft">Give it a name: everything that it gets is named after it.</p>
            ) : (
              <PlanView plan={plan} />
            )}
          </section>
          {wasSent && !checked.ok && (
            <p className="notice bad" role="alert">
              {checked.field}: {checked.message}
            </p>
          )}
          {asking.error !== null && <Trouble error={asking.error} />}
          <div>
            <button type="submit" className="button main" disabled={asking.isPending}>
              {asking.isPending ? "Asking…" : "Make this tenant"}
            </button>
          </div>
        </div>
      </form>
    </>
  );
};

/** What the orchestrator would make of the wish, a moment after the last change. */
const usePlan = (wish: Wish) => {
  const [settled, setSettled] = useState(wish);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(wish), 300);
    return () => clearTimeout(timer);
  }, [wish]);
  const query = useQuery({
    queryKey: ["plan", settled],
    queryFn: ({ signal }) =>
      call("POST /v1/plans/create", {
        body: requestOf(settled, notYet),
        headers: { "idempotency-key": "console-plan" },
        signal,
      }),
    enabled: settled.name.trim() !== "",
    placeholderData: keepPreviousData,
    retry: false,
  });
  return settled.name.trim() === "" ? undefined : query.data;
};

const dropOff = async (credentials: Record<string, unknown>): Promise<string> => {
  const { reference } = await call("POST /v1/secrets", { body: { credentials } });
  return reference;
};

const Choices = <T extends string>({
  title,
  value,
  options,
  onChange,
}: {
  readonly title: string;
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly onChange: (value: T) => void;
}) => (
  <fieldset className="stack-tight">
    <legend>{title}</legend>
    {options.map(([option, text]) => (
      <label key={option} className="choice">
        <input type="radio" name={title} checked={value === option} onChange={() => onChange(option)} />
        <span>{text}</span>
      </label>
    ))}
  </fieldset>
);
