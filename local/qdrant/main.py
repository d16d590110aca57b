"""STAND-IN for Qdrant: Qdrant's real engine (qdrant-edge-py) behind a small HTTP server with a subset of Qdrant's REST API."""
import email.parser
import hmac
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import yaml

import api
import config
from collections_store import AlreadyExists, NotFound, Store, WrongInput

VERSION = "1.19.0"  # the server whose engine the package holds, and whose API this follows
PROBES = {"/healthz": "healthz check passed", "/livez": "healthz check passed", "/readyz": "all shards are ready"}


class Handler(BaseHTTPRequestHandler):
    """One connection. The server carries the store, the keys and the size limit."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer waits 40 ms for the client's acknowledgement
    wbufsize = -1
    timeout = 120

    def handle_request(self):
        started = time.monotonic()
        url = urlsplit(self.path)
        try:
            status, answer = self.answer(url.path, dict(parse_qsl(url.query)))
        except NotFound as error:
            status, answer = 404, f"Not found: {error}"
        except AlreadyExists as error:
            status, answer = 409, f"Wrong input: {error}"
        except WrongInput as error:
            status, answer = 400, f"Wrong input: {error}"
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
            status, answer = 400, f"Format error in JSON body: {type(error).__name__}: {error}"
        except OSError as error:
            status, answer = 500, f"Service internal error: {error}"
        except Exception as error:  # the engine raises bare Exceptions
            missing = str(error).startswith("No point with id")
            status, answer = (404, f"Not found: {error} found") if missing else (400, f"Wrong input: {error}")
        self.discard_body()
        if isinstance(answer, bytes):
            return self.send(status, answer, "text/plain; charset=utf-8")
        if isinstance(answer, Path):
            return self.send_file(answer)
        took = {"time": time.monotonic() - started}
        if url.path == "/" and status == 200:
            return self.send_json(status, answer)
        return self.send_json(status, {"result": answer, "status": "ok", **took} if status == 200 else {"status": {"error": answer}, **took})

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = handle_request

    def answer(self, path, query):
        self.unread = int(self.headers.get("content-length") or 0)
        if self.command == "GET" and path in PROBES:
            return 200, PROBES[path].encode()
        if self.command == "GET" and path == "/":
            return 200, {"title": "qdrant - vector search engine (STAND-IN over qdrant-edge-py)", "version": VERSION}
        refusal = self.refusal()
        if refusal:
            return 401, refusal
        found = api.find(self.command, path)
        if found is None:
            return 404, b""
        handler, parts = found
        if handler is api.upload_snapshot:
            with tempfile.TemporaryDirectory(dir=self.server.store.work) as folder:
                return 200, handler(self.server.store, parts, query, self.read_upload(Path(folder)))
        if self.unread > self.server.max_body_bytes:
            self.close_connection = True
            return 413, b"Payload too large"
        body = json.loads(self.read_body() or b"{}")
        if not isinstance(body, dict):
            raise TypeError("an object is expected")
        return 200, handler(self.server.store, parts, query, body)

    def refusal(self):
        """Why the caller may not go on; None when it may. Without a configured key everybody may, as with Qdrant."""
        if not self.server.keys:
            return None
        bearer = self.headers.get("authorization", "")
        given = self.headers.get("api-key") or (bearer[7:] if bearer.startswith("Bearer ") else None)
        if given is None:
            return b"Must provide an API key or an Authorization bearer token"
        if any(hmac.compare_digest(given.encode(), key) for key in self.server.keys):
            return None
        return b"Invalid API key or JWT"

    def read_body(self):
        body, self.unread = self.rfile.read(self.unread), 0
        return body

    def read_upload(self, folder):
        """The file of a multipart upload. The form is kept in a file, and cut at its boundaries."""
        head = f"content-type: {self.headers['content-type']}\r\n\r\n".encode()
        boundary = email.parser.BytesHeaderParser().parsebytes(head).get_boundary()
        if boundary is None:
            raise WrongInput("a multipart form with one file is expected")
        whole = self.read_body()
        start = whole.index(b"\r\n\r\n") + 4
        end = whole.rindex(b"\r\n--" + boundary.encode() + b"--")
        target = folder / "upload"
        target.write_bytes(memoryview(whole)[start:end])
        return target

    def discard_body(self):
        """Reads what was not read, else it would be taken for the connection's next request."""
        if self.close_connection or getattr(self, "unread", 0) == 0:
            return
        if self.unread > self.server.max_body_bytes:
            self.close_connection = True
        else:
            self.read_body()

    def send_json(self, status, body):
        self.send(status, json.dumps(body).encode(), "application/json")

    def send(self, status, body, content_type):
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_file(self, path):
        with open(path, "rb") as file:
            self.send_response(200)
            self.send_header("content-type", "application/octet-stream")
            self.send_header("content-disposition", f'attachment; filename="{path.name}"')
            self.send_header("content-length", str(os.fstat(file.fileno()).st_size))
            self.end_headers()
            shutil.copyfileobj(file, self.wfile)

    def log_message(self, format, *args):  # Qdrant logs requests; a laptop's stand-in need not
        pass


def main():
    print("STAND-IN for Qdrant: the real engine (qdrant-edge-py) behind a small HTTP server, for local use. No gRPC.", flush=True)
    try:
        settings = config.load()
        service, storage = settings["service"], settings["storage"]
        address = (service["host"], int(service["http_port"]))
        store = Store(storage["storage_path"], storage["snapshots_path"])
    except (ValueError, OSError, yaml.YAMLError) as error:
        sys.exit(f"Can't start: {error}")
    server = ThreadingHTTPServer(address, Handler)
    server.store = store
    server.keys = [str(key).encode() for key in (service["api_key"], service["alt_api_key"]) if key]
    server.max_body_bytes = int(service["max_request_size_mb"]) * 1024 * 1024
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    keyed = "with" if server.keys else "WITHOUT"
    print(f"Listening on {address[0]}:{server.server_address[1]}, {keyed} an API key; {len(store.names())} collections", flush=True)
    server.serve_forever(poll_interval=0.1)
    store.close()


if __name__ == "__main__":
    main()
