-- For the operators' desk: what failed, by its cause; sagas by the beginning of a name; tenants by state; and an audit to
-- which rows are added and nothing else.

-- A failure is rare: the engine's usual writes touch no row of this index.
CREATE INDEX sagas_failed ON sagas ((error->>'step'), (error->>'code'), created_at DESC, saga_id DESC) WHERE error IS NOT NULL;

-- In place of the one it had: equality goes by it as before, and the beginning of a name too.
DROP INDEX sagas_by_slug;
CREATE INDEX sagas_by_slug ON sagas (slug text_pattern_ops, created_at DESC);

CREATE INDEX tenants_by_state ON tenants (state, created_at DESC, tenant_id DESC);
CREATE INDEX tenants_by_age ON tenants (created_at DESC, tenant_id DESC);

-- From where it was asked; null for what was recorded before, and for what the engine records.
ALTER TABLE audit ADD COLUMN origin text;
CREATE INDEX audit_by_subject ON audit (subject, id DESC);
CREATE INDEX audit_by_actor ON audit (actor, id DESC);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
