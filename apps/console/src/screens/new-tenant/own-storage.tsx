import type { ByosProvider } from "@deeplens/contracts/rules";
import { Field } from "../../parts/field.tsx";
import type { CredentialFields } from "./credential-fields.ts";
import { TextField } from "./text-field.tsx";
import type { Wish } from "./wish.ts";

const providers: readonly (readonly [ByosProvider, string])[] = [
  ["aws_s3", "S3 (Amazon and all that speaks it)"],
  ["azure_blob", "Azure Blob"],
  ["gcs", "Google Cloud Storage"],
];

/** The customer's own place, and what opens it: dropped off encrypted when the tenant is asked for, then proven. */
export const OwnStorage = ({
  wish,
  change,
  fields,
  setFields,
  wrongAt,
  wrongCredentials,
}: {
  readonly wish: Wish;
  readonly change: (part: Partial<Wish>) => void;
  readonly fields: CredentialFields;
  readonly setFields: (fields: CredentialFields) => void;
  readonly wrongAt: (field: string) => string | undefined;
  readonly wrongCredentials: string | undefined;
}) => {
  const set = (part: Partial<CredentialFields>): void => setFields({ ...fields, ...part });
  const isS3 = wish.provider === "aws_s3";
  return (
    <fieldset className="stack">
      <legend>The customer's own storage</legend>
      <Field label="Provider">
        {(wiring) => (
          <select
            {...wiring}
            className="input"
            value={wish.provider}
            onChange={(event) => change({ provider: event.target.value as ByosProvider })}
          >
            {providers.map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        )}
      </Field>
      <TextField
        label={wish.provider === "azure_blob" ? "Container" : "Bucket"}
        value={wish.bucket}
        wrong={wrongAt("storage.bucket")}
        onChange={(bucket) => change({ bucket })}
      />
      {isS3 && (
        <TextField
          label="Region"
          hint="not needed with an endpoint"
          value={wish.region}
          wrong={wrongAt("storage.region")}
          onChange={(region) => change({ region })}
        />
      )}
      <TextField
        label="Endpoint"
        hint="only where it is not the provider's own"
        value={wish.endpoint}
        wrong={wrongAt("storage.endpoint")}
        onChange={(endpoint) => change({ endpoint })}
      />
      <TextField
        label="Folder"
        hint="only where the bucket is not the tenant's alone"
        value={wish.prefix}
        wrong={wrongAt("storage.prefix")}
        onChange={(prefix) => change({ prefix })}
      />
      {isS3 && (
        <label className="choice">
          <input
            type="checkbox"
            checked={wish.pathStyle}
            onChange={(event) => change({ pathStyle: event.target.checked })}
          />
          <span>The bucket is named in the path (MinIO and others)</span>
        </label>
      )}
      <CredentialInputs provider={wish.provider} fields={fields} set={set} />
      {wrongCredentials !== undefined && (
        <p className="notice bad" role="alert">
          {wrongCredentials}
        </p>
      )}
      <p className="small soft">
        Encrypted at once, named by reference from then on, and proven by the storage step: it lists, writes,
        reads and deletes before the tenant is called ready.
      </p>
    </fieldset>
  );
};

const CredentialInputs = ({
  provider,
  fields,
  set,
}: {
  readonly provider: ByosProvider;
  readonly fields: CredentialFields;
  readonly set: (part: Partial<CredentialFields>) => void;
}) => {
  switch (provider) {
    case "aws_s3":
      return (
        <>
          <TextField
            label="Access key id"
            value={fields.accessKeyId}
            onChange={(accessKeyId) => set({ accessKeyId })}
          />
          <TextField
            label="Secret access key"
            type="password"
            value={fields.secretAccessKey}
            onChange={(secretAccessKey) => set({ secretAccessKey })}
          />
        </>
      );
    case "azure_blob":
      return (
        <>
          <TextField
            label="Account"
            value={fields.accountName}
            onChange={(accountName) => set({ accountName })}
          />
          <TextField
            label="Account key"
            type="password"
            hint="or a signature below"
            value={fields.accountKey}
            onChange={(accountKey) => set({ accountKey })}
          />
          <TextField
            label="Shared access signature"
            type="password"
            value={fields.sasToken}
            onChange={(sasToken) => set({ sasToken })}
          />
        </>
      );
    case "gcs":
      return (
        <Field label="Service account's key file" hint="its JSON, all of it">
          {(wiring) => (
            <textarea
              {...wiring}
              className="input mono"
              autoComplete="off"
              spellCheck={false}
              value={fields.keyFile}
              onChange={(event) => set({ keyFile: event.target.value })}
            />
          )}
        </Field>
      );
  }
};
