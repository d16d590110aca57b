-- Reads all that a batch needs, in one round trip. Null: a shard has another epoch, so another process owns it by now.
-- Names no schema: whoever calls it has set search_path, once a session and not once a call.
CREATE FUNCTION read_batch(
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
      'revision', revision, 'tier', tier, 'storageType', storage_type, 'resources', resources, 'source', source,
      'requestId', request_id, 'createdAt', created_at))
    INTO v_tenants
    FROM tenants WHERE tenant_id = ANY (v_tenant_ids);

  RETURN json_build_object('shards', v_shards, 'requests', v_requests, 'sagas', v_sagas,
    'reservations', v_reservations, 'tenants', v_tenants);
END $$;


-- Ends the statement that calls it, and so its transaction: what it has written so far is not there. DL001: a shard has
-- another owner; DL002: what was read is not what is there.
CREATE FUNCTION refuse(code text, reason text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', reason USING ERRCODE = code;
END $$;
