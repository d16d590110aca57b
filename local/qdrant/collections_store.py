"""The collections on disk, each a shard of the real engine.

What survives a crash: a collection is made and restored under a name of its own in `.work` and renamed into place, and
renamed there before it is deleted, so that it is there wholly or not at all; `.work` is emptied at start. (A restore over
an existing collection is two renames: killed exactly between them, neither is there.) An update that
was waited for was flushed before it is answered. Layout: <storage>/collections/<name>/{collection.json,0/}.
"""
import hashlib
import json
import re
import secrets
import shutil
import tarfile
import threading
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import qdrant_edge as edge

import convert
from convert import WrongInput


class NotFound(Exception):
    """Answered with 404."""


class AlreadyExists(Exception):
    """Answered with 409."""


class Collection:
    """One loaded shard. One call at a time: `using` holds its lock."""

    def __init__(self, folder):
        self.config = json.loads((folder / "collection.json").read_text())
        self.folder = folder
        self.shard = edge.EdgeShard.load(str(folder / "0"))
        self.operations = 0
        self.lock = threading.RLock()

    @property
    def sizes(self):
        vectors = self.config["vectors"]
        return {"": vectors["size"]} if "size" in vectors else {name: v["size"] for name, v in vectors.items()}

    def update(self, operation, wait):
        """Applies an operation; with `wait` it is on disk when this returns. Gives its number."""
        self.shard.update(operation)
        if wait:
            self.shard.flush()
        self.operations += 1
        return self.operations - 1


class Store:
    """All collections and their snapshots."""

    def __init__(self, storage, snapshots):
        self.root, self.snapshots = Path(storage).absolute(), Path(snapshots).absolute()
        self.work = self.root / ".work"
        self.lock = threading.RLock()
        shutil.rmtree(self.work, ignore_errors=True)
        for folder in (self.root / "collections", self.work, self.snapshots):
            folder.mkdir(parents=True, exist_ok=True)
        folders = sorted((self.root / "collections").iterdir())
        self.collections = {folder.name: Collection(folder) for folder in folders}

    def names(self):
        return sorted(self.collections)

    @contextmanager
    def using(self, name):
        """The collection, held for one call. Raises NotFound."""
        while True:
            collection = self.collections.get(name)
            if collection is None:
                raise NotFound(f"Collection `{name}` doesn't exist!")
            with collection.lock:
                if self.collections.get(name) is collection:  # else it was deleted or restored while this waited
                    yield collection
                    return

    def create(self, name, body):
        if not name or len(name) > 255 or re.search(r'[<>:"/\\|?*\x00-\x1f]', name) or name in (".", ".."):
            raise WrongInput(f"collection name {name!r} is not allowed")
        if body.get("sparse_vectors"):
            raise WrongInput("sparse_vectors are not in this stand-in")
        config = edge.EdgeConfig(vectors=convert.vector_params(body.get("vectors")))
        with self.lock:
            if name in self.collections:
                raise AlreadyExists(f"Collection `{name}` already exists!")
            new = self.work / secrets.token_hex(8)
            (new / "0").mkdir(parents=True)
            shard = edge.EdgeShard.create(str(new / "0"), config)
            shard.flush()
            shard.close()
            (new / "collection.json").write_text(json.dumps(body))
            self._put(name, new)

    def _put(self, name, folder):
        target = self.root / "collections" / name
        folder.rename(target)
        self.collections[name] = Collection(target)

    def delete(self, name):
        """Deletes the collection, and keeps its snapshots, as Qdrant does; False when there was none."""
        with self.lock:
            gone = self._take(name)
        _remove(gone)
        return gone is not None

    def _take(self, name):
        """Takes the collection out of its place; gives the folder that it is in now, None when there was none."""
        collection = self.collections.get(name)
        if collection is None:
            return None
        with collection.lock:
            del self.collections[name]
            collection.shard.close()
            gone = self.work / secrets.token_hex(8)
            collection.folder.rename(gone)
        return gone

    def close(self):
        """Flushes and closes everything."""
        with self.lock:
            for collection in self.collections.values():
                with collection.lock:
                    collection.shard.flush()
                    collection.shard.close()
            self.collections = {}

    # Snapshots. NOT the real server's file format: a gzip tar of the shard (without its log, flushed before) and its configuration.

    def snapshot(self, name):
        """Makes a snapshot and describes it."""
        now = datetime.now(timezone.utc)
        file = f"{name}-{secrets.randbits(53)}-{now:%Y-%m-%d-%H-%M-%S}.snapshot"
        half, target = self.work / file, self.snapshots / name / file
        with self.using(name) as collection:
            collection.shard.flush()
            with tarfile.open(half, "w:gz", compresslevel=1) as tar:
                tar.add(collection.folder, arcname=".", filter=lambda entry: None if entry.name == "./0/wal" else entry)
            target.parent.mkdir(exist_ok=True)
            # The snapshots' folder may be another file system than the storage's volume: a rename alone would fail there.
            shutil.move(half, target.with_suffix(".part"))
            target.with_suffix(".part").rename(target)
        return describe(target)

    def list_snapshots(self, name):
        with self.using(name):
            return [describe(path) for path in sorted((self.snapshots / name).glob("*.snapshot"))]

    def snapshot_path(self, name, file):
        with self.using(name):
            path = self.snapshots / name / file
        if "/" in file or not path.is_file():
            raise NotFound(f"Snapshot {file} not found")
        return path

    def recover(self, name, path, checksum):
        """Makes the collection what the snapshot file says, in place of what was there. Raises WrongInput for a bad file."""
        if checksum and checksum != sha256(path):
            raise WrongInput(f"Snapshot checksum mismatch: expected {checksum}, actual {sha256(path)}")
        new = self.work / secrets.token_hex(8)
        new.mkdir()
        try:
            with tarfile.open(path) as tar:
                for entry in tar:
                    if not (entry.isfile() or entry.isdir()) or entry.name.startswith("/") or ".." in Path(entry.name).parts:
                        raise WrongInput(f"{entry.name}: not allowed in a snapshot")
                    tar.extract(entry, new)
            edge.EdgeShard.load(str(new / "0")).close()
            json.loads((new / "collection.json").read_text())
        except WrongInput:
            shutil.rmtree(new, ignore_errors=True)
            raise
        except Exception as error:
            shutil.rmtree(new, ignore_errors=True)
            raise WrongInput(f"not a snapshot of this stand-in: {error}") from error
        with self.lock:
            gone = self._take(name)
            self._put(name, new)
        _remove(gone)


def _remove(folder):
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(path):
    made = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    return {
        "name": path.name,
        "creation_time": f"{made:%Y-%m-%dT%H:%M:%S}",
        "size": path.stat().st_size,
        "checksum": sha256(path),
    }
