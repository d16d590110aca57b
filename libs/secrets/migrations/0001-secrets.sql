-- Tenants' secrets, encrypted. A value is made once and read by every later try, so that no crash leaves a password
-- that nobody knows. The cipher binds a row's owner, purpose and version: a row that was moved does not decrypt.

CREATE TABLE secrets (
  owner uuid NOT NULL,
  purpose text NOT NULL,
  version int NOT NULL,
  key_version text NOT NULL,     -- which master key
  nonce bytea NOT NULL,
  ciphertext bytea NOT NULL,     -- AES-256-GCM, its tag last
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner, purpose, version)
);

-- Who was shown which tenant's secrets, when and why.
CREATE TABLE reveals (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  owner uuid NOT NULL,
  actor text NOT NULL,
  reason text NOT NULL,
  purposes text[] NOT NULL
);
CREATE INDEX reveals_by_owner ON reveals (owner, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON reveals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON reveals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
