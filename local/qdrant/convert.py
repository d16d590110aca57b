"""Qdrant's JSON to the engine's types and back. What the engine or this stand-in does not have is a WrongInput."""
import uuid

import qdrant_edge as edge


class WrongInput(Exception):
    """The request can't be carried out as it is: answered with 400."""


def vector_params(spec):
    """`vectors` of a new collection, to the engine's configuration: one nameless vector, or several by name."""
    if not isinstance(spec, dict) or not spec:
        raise WrongInput("`vectors` must be {size, distance}, or one of these by name")
    if "size" in spec:
        return {"": _one_vector(spec)}
    return {name: _one_vector(params) for name, params in spec.items()}


def _one_vector(params):
    if not isinstance(params, dict) or not isinstance(params.get("size"), int) or not 1 <= params["size"] <= 65536:
        raise WrongInput("vectors.size must be between 1 and 65536")
    distance = getattr(edge.Distance, str(params.get("distance")), None)
    if distance is None:
        raise WrongInput("vectors.distance must be Cosine, Euclid, Dot or Manhattan")
    if "multivector_config" in params:
        raise WrongInput("multivector_config is not in this stand-in")
    return edge.EdgeVectorParams(size=params["size"], distance=distance)


def points(body, sizes):
    """The points of an upsert (`points` or `batch`); every vector is checked first, so that a request is all or nothing."""
    if "batch" in body:
        batch = body["batch"]
        vectors, ids = batch["vectors"], batch["ids"]
        each = [{k: v[i] for k, v in vectors.items()} for i in range(len(ids))] if isinstance(vectors, dict) else vectors
        payloads = batch.get("payloads") or [None] * len(ids)
        listed = [{"id": i, "vector": v, "payload": p} for i, v, p in zip(ids, each, payloads, strict=True)]
    else:
        listed = body["points"]
    for point in listed:
        named = point["vector"] if isinstance(point["vector"], dict) else {"": point["vector"]}
        for name, vector in named.items():
            if name not in sizes:
                raise WrongInput(f"Not existing vector name error: {name}")
            if len(vector) != sizes[name]:
                raise WrongInput(f"Vector dimension error: expected dim: {sizes[name]}, got {len(vector)}")
    return [edge.Point(point_id(p["id"]), p["vector"], p.get("payload") or {}) for p in listed]


def point_id(value):
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    try:
        return uuid.UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise WrongInput(f"{value!r} is no point id: an unsigned integer or a UUID") from error


def plain_id(value):
    return str(value) if isinstance(value, uuid.UUID) else value


def record(found):
    """A record or scored point as JSON; `payload` and `vector` are there when they were asked for."""
    answer = {"id": plain_id(found.id)}
    if hasattr(found, "score"):
        answer |= {"version": found.version, "score": found.score}
    if found.payload is not None:
        answer["payload"] = found.payload
    if found.vector is not None:
        answer["vector"] = found.vector
    return answer


def payload_selector(value):
    if isinstance(value, dict):
        if "include" in value:
            return edge.PayloadSelector.Include(value["include"])
        return edge.PayloadSelector.Exclude(value["exclude"])
    return value


def filter_of(value):
    """A filter; None where there is none."""
    if value is None:
        return None
    unknown = set(value) - {"must", "should", "must_not", "min_should"}
    if unknown:
        raise WrongInput(f"filter: unknown key {', '.join(sorted(unknown))}")
    least = value.get("min_should")
    return edge.Filter(
        must=_conditions(value.get("must")),
        should=_conditions(value.get("should")),
        must_not=_conditions(value.get("must_not")),
        min_should=edge.MinShould(_conditions(least["conditions"]), least["min_count"]) if least else None,
    )


def _conditions(value):
    if value is None:
        return None
    return [_condition(condition) for condition in (value if isinstance(value, list) else [value])]


def _condition(condition):
    if "key" in condition:
        return _field(condition)
    if "is_empty" in condition:
        return edge.IsEmptyCondition(condition["is_empty"]["key"])
    if "is_null" in condition:
        return edge.IsNullCondition(condition["is_null"]["key"])
    if "has_id" in condition:
        return edge.HasIdCondition({point_id(value) for value in condition["has_id"]})
    if "has_vector" in condition:
        return edge.HasVectorCondition(condition["has_vector"])
    if "nested" in condition:
        return edge.NestedCondition(condition["nested"]["key"], filter_of(condition["nested"]["filter"]))
    return filter_of(condition)


def _field(condition):
    unknown = set(condition) - {"key", "match", "range", "values_count", "is_empty", "is_null"}
    if unknown:
        raise WrongInput(f"{', '.join(sorted(unknown))} conditions are not in this stand-in")
    counted = condition.get("values_count")
    return edge.FieldCondition(
        condition["key"],
        match=_match(condition.get("match")),
        range=_range(condition.get("range")),
        values_count=edge.ValuesCount(**counted) if counted else None,
        is_empty=condition.get("is_empty"),
        is_null=condition.get("is_null"),
    )


_MATCHES = {
    "value": edge.MatchValue,
    "any": edge.MatchAny,
    "except": edge.MatchExcept,
    "text": edge.MatchText,
    "text_any": edge.MatchTextAny,
    "phrase": edge.MatchPhrase,
}


def _match(match):
    if match is None:
        return None
    kind = next((kind for kind in _MATCHES if kind in match), None)
    if kind is None:
        raise WrongInput(f"match: {', '.join(match)} is not in this stand-in")
    return _MATCHES[kind](match[kind])


def _range(limits):
    if limits is None:
        return None
    given = {key: value for key, value in limits.items() if value is not None}
    kind = edge.RangeDateTime if any(isinstance(value, str) for value in given.values()) else edge.RangeFloat
    return kind(**given)


def field_schema(value):
    """`field_schema` of a payload index: a type by name, or {type}; tuning beside the type is ignored."""
    name = value.get("type") if isinstance(value, dict) else value
    schema = getattr(edge.PayloadSchemaType, str(name).capitalize(), None)
    if schema is None:
        raise WrongInput(f"field_schema: {name!r} is no payload type")
    return schema
