-- A tenant's whole life: acts on what was made are sagas too. The tenant's row says which one runs, since when it is suspended
-- and what its removal left, so that an act needs no query beside the ones that every batch makes.
ALTER TABLE tenants ADD COLUMN acts jsonb NOT NULL DEFAULT '{}';
ALTER TABLE tenants DROP CONSTRAINT tenants_state_check;
ALTER TABLE tenants ADD CONSTRAINT tenants_state_check CHECK (state IN
  ('provisioning', 'ready', 'compensating', 'rolled-back', 'stuck', 'suspended', 'removing', 'removed'));

-- waiting: for a moment that may be days away. removed: nothing is left, and the name is still held. done, undone: an act's
-- ends; like ready and closed they are final.
ALTER TABLE sagas DROP CONSTRAINT sagas_status_check;
ALTER TABLE sagas ADD CONSTRAINT sagas_status_check CHECK (status IN
  ('running', 'compensating', 'ready', 'rolled-back', 'closed', 'stuck', 'waiting', 'done', 'undone', 'removed'));
ALTER TABLE sagas DROP CONSTRAINT no_silent_wait;
ALTER TABLE sagas ADD CONSTRAINT no_silent_wait CHECK (status IN ('ready', 'done', 'undone', 'closed') OR next_due IS NOT NULL
  OR (status = 'stuck' AND error IS NOT NULL));
DROP INDEX sagas_unfinished;
CREATE INDEX sagas_unfinished ON sagas (shard) WHERE status NOT IN ('ready', 'done', 'undone', 'closed');

-- Reads all that a batch needs, in one round trip. Null: a shard has another epoch, so another process owns it by now.
-- Names no schema: whoever calls it has set search_path, once a session and not once a call.
CREATE OR REPLACE FUNCTION read_batch(
  p_shards int[], p_epochs bigint[],
  p_sources text[], p_request_ids text[],
  p_saga_ids uuid[], p_slugs text[]
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  held int;
  v_shards json;
  v_requests json;
  v_sagas json;
  v_reservations json;
  v_tenants json;
  v_slugs text[];
  v_tenant_ids uuid[];
BEGIN
  SELECT count(*), json_agg(json_build_object(
      'shard', s.shard, 'requestsNext', requests_next, 'requestsHash', encode(requests_hash, 'hex'),
      'repliesNext', replies_next, 'repliesHash', encode(replies_hash, 'hex')))
    INTO held, v_shards
    FROM shards s JOIN unnest(p_shards, p_epochs) AS mine (shard, epoch) ON s.shard = mine.shard AND s.epoch = mine.epoch;
  IF held <> cardinality(p_shards) THEN RETURN NULL; END IF;

  SELECT json_agg(json_build_object('source', r.source, 'requestId', r.request_id,
      'payloadHash', encode(payload_hash, 'hex'), 'tenantId', tenant_id, 'sagaId', saga_id, 'rejection', rejection)),
      array_agg(tenant_id)
    INTO v_requests, v_tenant_ids
    FROM unnest(p_sources, p_request_ids) AS k (source, request_id),
      -- OFFSET 0: looked up one by one, by the key. A join may be planned the other way round, over all requests ever.
      LATERAL (SELECT * FROM requests WHERE source = k.source AND request_id = k.request_id OFFSET 0) AS r;

  SELECT json_agg(json_build_object('sagaId', saga_id, 'tenantId', tenant_id, 'slug', slug, 'shard', shard, 'kind', kind,
      'status', status, 'machineVersion', machine_version, 'version', version, 'snapshot', snapshot, 'steps', steps,
      'timers', timers, 'error', error, 'request', request, 'createdAt', created_at, 'finishedAt', finished_at)),
      array_agg(slug), v_tenant_ids || array_agg(tenant_id)
    INTO v_sagas, v_slugs, v_tenant_ids
    FROM sagas WHERE saga_id = ANY (p_saga_ids);

  SELECT json_agg(json_build_object('slug', slug, 'tenantId', tenant_id, 'sagaId', saga_id, 'fence', fence, 'released', released)),
      v_tenant_ids || array_agg(tenant_id)
    INTO v_reservations, v_tenant_ids
    FROM reservations WHERE slug = ANY (p_slugs || v_slugs);

  SELECT json_agg(json_build_object('tenantId', tenant_id, 'slug', slug, 'shard', shard, 'name', name, 'state', state,
      'revision', revision, 'tier', tier, 'storageType', storage_type, 'resources', resources, 'acts', acts, 'source', source,
      'requestId', request_id, 'createdAt', created_at))
    INTO v_tenants
    FROM tenants WHERE tenant_id = ANY (v_tenant_ids);

  RETURN json_build_object('shards', v_shards, 'requests', v_requests, 'sagas', v_sagas,
    'reservations', v_reservations, 'tenants', v_tenants);
END $$;
