import { Field } from "../../parts/field.tsx";

export const TextField = ({
  label,
  value,
  onChange,
  wrong,
  hint,
  type = "text",
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly wrong?: string | undefined;
  readonly hint?: string;
  readonly type?: "text" | "email" | "password";
}) => (
  <Field label={label} wrong={wrong} {...(hint === undefined ? {} : { hint })}>
    {(wiring) => (
      <input
        {...wiring}
        className="input"
        type={type}
        autoComplete="off"
        spellCheck={false}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    )}
  </Field>
);
