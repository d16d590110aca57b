"""Qdrant's REST paths: (method, pattern) -> function(store, path parts, query, body) -> result."""
import re
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

import qdrant_edge as edge

import convert
from collections_store import NotFound, WrongInput

ROUTES = []


def route(method, pattern):
    """Registers a handler; `{x}` stands for one path segment."""
    compiled = re.compile("^" + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", pattern) + "$")

    def register(handler):
        ROUTES.append((method, compiled, handler))
        return handler

    return register


def find(method, path):
    """The handler and its path parts; None when there is none."""
    for route_method, pattern, handler in ROUTES:
        matched = pattern.match(path)
        if route_method == method and matched:
            return handler, {key: urllib.parse.unquote(value) for key, value in matched.groupdict().items()}
    return None


def waited(query):
    return query.get("wait") == "true"


@route("GET", "/collections")
def list_collections(store, parts, query, body):
    return {"collections": [{"name": name} for name in store.names()]}


@route("GET", "/collections/{name}/exists")
def exists(store, parts, query, body):
    return {"exists": parts["name"] in store.names()}


@route("GET", "/collections/{name}/aliases")
def list_aliases(store, parts, query, body):
    with store.using(parts["name"]):
        return {"aliases": []}  # none can be made here


@route("PUT", "/collections/{name}")
def create(store, parts, query, body):
    store.create(parts["name"], body)
    return True


@route("DELETE", "/collections/{name}")
def delete(store, parts, query, body):
    return store.delete(parts["name"])


@route("GET", "/collections/{name}")
def info(store, parts, query, body):
    with store.using(parts["name"]) as collection:
        found, asked = collection.shard.info(), collection.config
    indexes = {
        field: {"data_type": str(index.data_type).rpartition(".")[2].lower(), "points": index.points}
        for field, index in found.payload_schema.items()
    }
    once = {"shard_number": 1, "replication_factor": 1, "write_consistency_factor": 1, "on_disk_payload": True}
    optimizer = {"deleted_threshold": 0.2, "vacuum_min_vector_number": 1000, "default_segment_number": 0, "flush_interval_sec": 5}
    return {
        "status": "green",
        "optimizer_status": "ok",
        "indexed_vectors_count": found.indexed_vectors_count,
        "points_count": found.points_count,
        "segments_count": found.segments_count,
        "config": {
            "params": {"vectors": asked["vectors"], **once},
            "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000} | (asked.get("hnsw_config") or {}),
            "optimizer_config": optimizer | (asked.get("optimizers_config") or {}),
            "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},
        },
        "payload_schema": indexes,
    }


def update(store, parts, query, operation_of):
    with store.using(parts["name"]) as collection:
        number = collection.update(operation_of(collection), waited(query))
    return {"operation_id": number, "status": "completed" if waited(query) else "acknowledged"}


def selected(body, by_ids, by_filter):
    """One of two operations: for the points listed, or for those that a filter finds."""
    if body.get("points") is not None:
        return by_ids([convert.point_id(value) for value in body["points"]])
    if body.get("filter") is not None:
        return by_filter(convert.filter_of(body["filter"]))
    raise WrongInput("No points selected: give `points` or `filter`")


@route("PUT", "/collections/{name}/index")
def create_index(store, parts, query, body):
    operation = edge.UpdateOperation.create_field_index(body["field_name"], convert.field_schema(body.get("field_schema")))
    return update(store, parts, query, lambda _: operation)


@route("DELETE", "/collections/{name}/index/{field}")
def delete_index(store, parts, query, body):
    return update(store, parts, query, lambda _: edge.UpdateOperation.delete_field_index(parts["field"]))


@route("PUT", "/collections/{name}/points")
def upsert(store, parts, query, body):
    return update(store, parts, query, lambda c: edge.UpdateOperation.upsert_points(convert.points(body, c.sizes)))


@route("POST", "/collections/{name}/points/delete")
def delete_points(store, parts, query, body):
    operations = edge.UpdateOperation
    return update(store, parts, query, lambda _: selected(body, operations.delete_points, operations.delete_points_by_filter))


@route("POST", "/collections/{name}/points/payload")
def set_payload(store, parts, query, body):
    operations, payload, key = edge.UpdateOperation, body["payload"], body.get("key")
    by_ids = lambda ids: operations.set_payload(ids, payload, key)
    by_filter = lambda found: operations.set_payload_by_filter(found, payload, key)
    return update(store, parts, query, lambda _: selected(body, by_ids, by_filter))


@route("PUT", "/collections/{name}/points/payload")
def overwrite_payload(store, parts, query, body):
    operations, payload = edge.UpdateOperation, body["payload"]
    by_ids = lambda ids: operations.overwrite_payload(ids, payload)
    by_filter = lambda found: operations.overwrite_payload_by_filter(found, payload)
    return update(store, parts, query, lambda _: selected(body, by_ids, by_filter))


@route("POST", "/collections/{name}/points/payload/delete")
def delete_payload(store, parts, query, body):
    operations, keys = edge.UpdateOperation, body["keys"]
    by_ids = lambda ids: operations.delete_payload(ids, keys)
    by_filter = lambda found: operations.delete_payload_by_filter(found, keys)
    return update(store, parts, query, lambda _: selected(body, by_ids, by_filter))


@route("POST", "/collections/{name}/points/payload/clear")
def clear_payload(store, parts, query, body):
    operations = edge.UpdateOperation
    return update(store, parts, query, lambda _: selected(body, operations.clear_payload, operations.clear_payload_by_filter))


def shown(body, payload_by_default):
    with_payload = body.get("with_payload")
    return {
        "with_payload": convert.payload_selector(payload_by_default if with_payload is None else with_payload),
        "with_vector": body.get("with_vector") or False,
    }


@route("POST", "/collections/{name}/points")
def retrieve(store, parts, query, body):
    ids = [convert.point_id(value) for value in body["ids"]]
    with store.using(parts["name"]) as collection:
        return [convert.record(found) for found in collection.shard.retrieve(ids, **shown(body, True))]


@route("GET", "/collections/{name}/points/{id}")
def retrieve_one(store, parts, query, body):
    given = parts["id"]
    wanted = convert.point_id(int(given) if given.isdigit() else given)
    with store.using(parts["name"]) as collection:
        found = collection.shard.retrieve([wanted], True, True)
    if not found:
        raise NotFound(f"Point with id {given} does not exists!")
    return convert.record(found[0])


@route("POST", "/collections/{name}/points/scroll")
def scroll(store, parts, query, body):
    if body.get("order_by") is not None:
        raise WrongInput("order_by is not in this stand-in")
    limit, offset = body.get("limit"), body.get("offset")
    request = edge.ScrollRequest(
        offset=None if offset is None else convert.point_id(offset),
        limit=10 if limit is None else limit,
        filter=convert.filter_of(body.get("filter")),
        **shown(body, True),
    )
    with store.using(parts["name"]) as collection:
        found, following = collection.shard.scroll(request)
    return {"points": [convert.record(each) for each in found], "next_page_offset": convert.plain_id(following)}


@route("POST", "/collections/{name}/points/count")
def count(store, parts, query, body):
    request = edge.CountRequest(filter=convert.filter_of(body.get("filter")), exact=body.get("exact", True))
    with store.using(parts["name"]) as collection:
        return {"count": collection.shard.count(request)}


@route("POST", "/collections/{name}/points/query")
def query_points(store, parts, query, body):
    with store.using(parts["name"]) as collection:
        return {"points": ask(collection, body)}


@route("POST", "/collections/{name}/points/query/batch")
def query_batch(store, parts, query, body):
    with store.using(parts["name"]) as collection:
        return [{"points": ask(collection, search)} for search in body["searches"]]


def ask(collection, body):
    if body.get("prefetch") is not None:
        raise WrongInput("prefetch is not in this stand-in")
    asked, using, condition = body.get("query"), body.get("using") or "", body.get("filter")
    if isinstance(asked, dict) and set(asked) <= {"nearest"}:
        asked = asked["nearest"]
    if isinstance(asked, (int, str)):  # a point: those nearest to it, without itself
        found = collection.shard.retrieve([convert.point_id(asked)], False, True)
        if not found:
            raise NotFound(f"No point with id {asked} found")
        condition = {"must": [condition] if condition else [], "must_not": [{"has_id": [asked]}]}
        asked = found[0].vector[using] if isinstance(found[0].vector, dict) else found[0].vector
    if asked is not None and not isinstance(asked, list):
        raise WrongInput("query: only a vector, a point id, or {nearest} are in this stand-in")
    params = body.get("params") or {}
    limit = body.get("limit")
    request = edge.QueryRequest(
        limit=10 if limit is None else limit,
        offset=body.get("offset"),
        query=None if asked is None else edge.Query.Nearest(asked, using or None),
        filter=convert.filter_of(condition),
        score_threshold=body.get("score_threshold"),
        params=edge.SearchParams(hnsw_ef=params.get("hnsw_ef"), exact=params.get("exact") or False),
        **shown(body, False),
    )
    return [convert.record(found) for found in collection.shard.query(request)]


@route("GET", "/collections/{name}/snapshots")
def list_snapshots(store, parts, query, body):
    return store.list_snapshots(parts["name"])


@route("POST", "/collections/{name}/snapshots")
def create_snapshot(store, parts, query, body):
    return store.snapshot(parts["name"])


@route("DELETE", "/collections/{name}/snapshots/{file}")
def delete_snapshot(store, parts, query, body):
    store.snapshot_path(parts["name"], parts["file"]).unlink()
    return True


@route("GET", "/collections/{name}/snapshots/{file}")
def download_snapshot(store, parts, query, body):
    return store.snapshot_path(parts["name"], parts["file"])  # a path is sent as a file


@route("PUT", "/collections/{name}/snapshots/recover")
def recover_snapshot(store, parts, query, body):
    location = urllib.parse.urlparse(body["location"])
    if location.scheme == "file":
        path = Path(urllib.parse.unquote(location.path)).resolve()
        if not path.is_relative_to(store.snapshots.resolve()) or not path.is_file():
            raise WrongInput(f"Snapshot file {path} does not exist in {store.snapshots}")
        store.recover(parts["name"], path, body.get("checksum"))
        return True
    if location.scheme not in ("http", "https"):
        raise WrongInput("location must be a file://, http:// or https:// URL")
    request = urllib.request.Request(body["location"], headers={"api-key": body["api_key"]} if body.get("api_key") else {})
    with tempfile.NamedTemporaryFile(dir=store.work) as file:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                while block := answer.read(1 << 20):
                    file.write(block)
        except OSError as error:
            raise WrongInput(f"Failed to download the snapshot from {body['location']}: {error}") from error
        file.flush()
        store.recover(parts["name"], Path(file.name), body.get("checksum"))
    return True


@route("POST", "/collections/{name}/snapshots/upload")
def upload_snapshot(store, parts, query, body):
    """`body` is the path of the uploaded file."""
    store.recover(parts["name"], body, query.get("checksum"))
    return True
