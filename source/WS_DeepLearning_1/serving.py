"""A small model server: TensorFlow Serving's REST and gRPC APIs, over the same SavedModels.

**It is an imitation, written for these lessons.** It has what the lessons use: versions, policies, labels, batching,
metrics, error messages, and the flags of the real binary by the same names. It has neither the real one's speed nor
its safety: put the real one, `tensorflow_model_server`, in front of customers. Where that program is on the PATH,
`start` starts it, and everything below works with it.

    from serving import start

    with start("models/delivery", name="delivery") as server:   # a process of its own; gone after the block
        requests.post(f"{server.url}/v1/models/delivery:predict", json={"instances": [...]})
        grpc.insecure_channel(server.grpc)                      # PredictionService and ModelService
        server.wait_for("delivery", 2)                          # until version 2 is AVAILABLE
        print(server.imitation, server.command, server.log())

The same by hand, the real one's flags:

    python serving.py --rest_api_port=8501 --port=8500 --model_name=delivery --model_base_path=/models/delivery

`ModelServer` is the imitation without a process around it: it runs in threads of yours.

What differs from the real server, besides speed: there is no warm-up, no model in the middle of loading delays the
start of the REST API, nothing but SavedModels is served, and only the metrics that the lessons look at are counted.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's C++ side: errors only
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # else oneDNN announces itself
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format, text_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)
from tensorflow_serving.config import model_server_config_pb2

METRICS_PATH = "/monitoring/prometheus/metrics"
HTTP = {  # of gRPC's codes
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
CODES = {code.value[0]: code.name for code in grpc.StatusCode}


class Refused(Exception):  # noqa: N818 - that is what happens to a request
    """A request that gets an error for an answer: one of gRPC's codes, and a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


# --- a servable, and its loader: one version of a model ------------------------------------------------------------


class Servable:
    """One version in memory: it answers requests until it is unloaded."""

    def __init__(self, name: str, version: int, path: Path, batching: dict[str, int] | None, metrics: Metrics) -> None:
        self.name, self.version, self._metrics = name, version, metrics
        file = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
        graph = next(graph for graph in file.meta_graphs if "serve" in graph.meta_info_def.tags)
        self.signatures = dict(graph.signature_def)
        self._model = tf.saved_model.load(str(path))
        self._batchers = {
            signature: Batcher(lambda tensors, key=signature: self._run(key, tensors), metrics, **batching)
            for signature in self._model.signatures
            if batching
        }
        self._users, self._idle = 0, threading.Condition()

    @contextlib.contextmanager
    def in_use(self):
        """Keep this version in memory while a request is answered."""
        with self._idle:
            self._users += 1
        try:
            yield self
        finally:
            with self._idle:
                self._users -= 1
                self._idle.notify_all()

    def wait_until_idle(self) -> None:
        with self._idle:
            self._idle.wait_for(lambda: self._users == 0)

    def signature(self, name: str):
        """Return name and definition of a signature; no name stands for `serving_default`."""
        name = name or "serving_default"
        if name not in self.signatures:
            raise Refused("INVALID_ARGUMENT", f'Serving signature name: "{name}" not found in signature def')
        return name, self.signatures[name]

    def predict(self, name: str, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run a signature on arrays, after a look at their names and types."""
        name, definition = self.signature(name)
        wanted, sent = set(definition.inputs), set(tensors)
        if wanted != sent:
            raise Refused(
                "INVALID_ARGUMENT",
                f"input size does not match signature: {len(sent)}!={len(wanted)} len({{{','.join(sorted(sent))}}}) != "
                f"len({{{','.join(sorted(wanted))}}}). Sent extra: {{{','.join(sorted(sent - wanted))}}}. "
                f"Missing but required: {{{','.join(sorted(wanted - sent))}}}.",
            )
        for number, key in enumerate(sorted(wanted)):
            expected, got = type_of(definition.inputs[key].dtype), tf.as_dtype(tensors[key].dtype).name
            if name_of(expected) != name_of(got):
                raise Refused(
                    "INVALID_ARGUMENT",
                    f"Expects arg[{number}] to be {name_of(expected)} but {name_of(got)} is provided",
                )
        if name in self._batchers:
            return self._batchers[name].run(tensors)
        return self._run(name, tensors)

    def _run(self, name: str, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        started = time.perf_counter()
        try:
            given = {key: tf.constant(value) for key, value in tensors.items()}
            answer = {key: value.numpy() for key, value in self._model.signatures[name](**given).items()}
        except tf.errors.OpError as error:
            text = str(error.message).split("<stack traces unavailable>")[-1]
            raise Refused(CODES[error.error_code], re.split(r"\s*\[\[|\s*\[Op:", text)[0].strip()) from None
        except (TypeError, ValueError) as error:  # shapes that the signature does not take
            raise Refused("INVALID_ARGUMENT", str(error).splitlines()[0]) from None
        micros = (time.perf_counter() - started) * 1e6
        labels = {"model_name": self.name, "API": "Predict", "runtime": "TF2"}
        self._metrics.observe("serving:runtime_latency", micros, **labels)
        return answer


class Batcher:
    """Puts requests of several clients together into one call of the model.

    The request that opens a batch waits for others: until the batch is full, or its time is up.
    """

    def __init__(self, run, metrics, max_batch_size, batch_timeout_micros, num_batch_threads, max_enqueued_batches):
        self._run, self._metrics = run, metrics
        self._size, self._seconds, self._limit = max_batch_size, batch_timeout_micros / 1e6, max_enqueued_batches
        self._threads, self._lock = threading.Semaphore(num_batch_threads), threading.Lock()
        self._open, self._enqueued = None, 0

    def run(self, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        sizes = {value.shape[0] if value.ndim else None for value in tensors.values()}
        if None in sizes:
            raise Refused("INVALID_ARGUMENT", "Batching Run() input tensors must have at least one dimension")
        if len(sizes) > 1:
            raise Refused("INVALID_ARGUMENT", "Batching Run() input tensors must have equal 0th-dimension size")
        size = sizes.pop()
        if size > self._size:
            raise Refused("INVALID_ARGUMENT", f"Task size {size} is larger than maximum input batch size {self._size}")
        with self._lock:
            batch = self._open
            if leads := batch is None or batch.size + size > self._size:
                if self._enqueued >= self._limit:
                    message = "The batch scheduling queue to which this task was submitted is full"
                    raise Refused("UNAVAILABLE", message)
                if batch is not None:
                    batch.full.set()
                batch = self._open = SimpleNamespace(
                    size=0, tasks=[], full=threading.Event(), done=threading.Event(), answer=None, error=None
                )
                self._enqueued += 1
            first, batch.size = batch.size, batch.size + size
            batch.tasks.append(tensors)
            if batch.size >= self._size:
                self._open = None
                batch.full.set()
        if leads:
            self._lead(batch)
        batch.done.wait()
        if batch.error:
            raise batch.error
        return {key: value[first : first + size] for key, value in batch.answer.items()}

    def _lead(self, batch) -> None:
        batch.full.wait(self._seconds)
        with self._threads:
            with self._lock:
                if self._open is batch:
                    self._open = None
                self._enqueued -= 1
            try:
                together = {key: np.concatenate([task[key] for task in batch.tasks]) for key in batch.tasks[0]}
                self._metrics.count("serving:batching_session:wrapped_run_count")
                self._metrics.observe("serving:batching_session:processed_batch_size", batch.size)
                batch.answer = self._run(together)
            except Refused as error:
                batch.error = error
            except Exception as error:  # whatever it is, nobody may wait for ever
                batch.error = Refused("INVALID_ARGUMENT", str(error))
            finally:
                batch.done.set()


# --- source and manager: which versions there are, and which are served ---------------------------------------------


@dataclass
class Version:
    """What the manager knows of one version of a model."""

    number: int
    state: str = "START"  # LOADING, AVAILABLE, UNLOADING, END
    code: str = "OK"
    message: str = ""
    servable: Servable | None = None
    attempts: int = 0
    next_attempt: float = 0.0


@dataclass
class Model:
    """A model: its folder, its policy, its labels, and its versions."""

    name: str
    base_path: Path
    policy: object = None
    labels: dict[str, int] = field(default_factory=dict)
    versions: dict[int, Version] = field(default_factory=dict)

    def aspired(self) -> dict[int, Path]:
        """Look into the folder, as a source does: the versions that the policy wants, and where they lie."""
        found = {int(child.name): child for child in self.base_path.iterdir() if re.fullmatch(r"\d+", child.name)}
        kind = self.policy.WhichOneof("policy_choice") if self.policy else None
        if kind == "all":
            return found
        if kind == "specific":
            return {number: found[number] for number in self.policy.specific.versions if number in found}
        count = max(self.policy.latest.num_versions, 1) if kind == "latest" else 1
        return {number: found[number] for number in sorted(found)[-count:]}

    def available(self) -> dict[int, Servable]:
        return {v.number: v.servable for v in list(self.versions.values()) if v.state == "AVAILABLE"}


class Manager:
    """Loads and unloads versions, and hands them out to requests."""

    def __init__(self, options: argparse.Namespace, metrics: Metrics) -> None:
        self.options, self.metrics = options, metrics
        self.models: dict[str, Model] = {}
        self._lock, self._changing = threading.Lock(), threading.Lock()
        self._stopped, self._thread = threading.Event(), None
        self._batching = batching_parameters(options)
        self._config_text = None

    def start(self) -> None:
        if self.options.model_config_file:
            self._read_config_file()
        else:
            config = model_server_config_pb2.ModelServerConfig()
            path = str(self.options.model_base_path)
            config.model_config_list.config.add(name=self.options.model_name, base_path=path)
            self.configure(config)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread:
            self._thread.join()

    def configure(self, config) -> None:
        """Make a ModelServerConfig come true: models, policies, labels; all of it or nothing."""
        with self._changing:
            wanted = {}
            for entry in config.model_config_list.config:
                old = self.models.get(entry.name)
                versions = old.versions if old else {}
                policy = entry.model_version_policy
                wanted[entry.name] = Model(
                    entry.name, Path(entry.base_path), policy, dict(entry.version_labels), versions
                )
            for model in wanted.values():
                for label, number in model.labels.items():
                    known = label in getattr(self.models.get(model.name), "labels", {})
                    lenient = self.options.allow_version_labels_for_unavailable_models and not known
                    if number not in model.available() and not lenient:
                        raise Refused(
                            "FAILED_PRECONDITION",
                            f"Request to assign label to version {number} of model {model.name}, "
                            "which is not currently available for inference",
                        )
            gone = [model for name, model in self.models.items() if name not in wanted]
            with self._lock:
                self.models = wanted
            for model in gone:
                for version in model.versions.values():
                    self._unload(model, version)
            for model in wanted.values():
                self._poll(model)

    def find(self, name: str, version: int | None = None, label: str = "") -> Servable:
        """Return the version that a request asks for: by number, by label, or the latest."""
        with self._lock:
            model = self.models.get(name)
            if label:
                if model is None or label not in model.labels:
                    raise Refused("INVALID_ARGUMENT", f"Unrecognized servable version label: {label}")
                version = model.labels[label]
            available = model.available() if model else {}
            if version is None and available:
                return available[max(available)]
            if version in available:
                return available[version]
        asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise Refused("NOT_FOUND", f"Servable not found for request: {asked}")

    @contextlib.contextmanager
    def use(self, name: str, version: int | None = None, label: str = ""):
        """Hand out a version for the time of a request: so long it is not unloaded."""
        while True:
            servable = self.find(name, version, label)
            with servable.in_use():
                model = self.models.get(name)
                if model is None or model.available().get(servable.version) is not servable:
                    continue  # it is about to go: look again
                yield servable
                return

    def status(self, name: str, version: int | None = None) -> list[Version]:
        """Return what became of all versions, the latest first, or of one."""
        versions = self.models[name].versions if name in self.models else {}
        if version is not None and version not in versions:
            raise Refused("NOT_FOUND", f"Could not find version {version} of model {name}")
        if not versions:
            raise Refused("NOT_FOUND", f"Could not find any versions of model {name}")
        return [versions[n] for n in sorted(versions, reverse=True) if version in (None, n)]

    def _watch(self) -> None:
        pauses = self.options.file_system_poll_wait_seconds, self.options.model_config_file_poll_wait_seconds
        folders, config = (time.monotonic() + pause for pause in pauses)
        while not self._stopped.wait(min(0.05, *(pause / 2 for pause in pauses if pause))):
            if pauses[0] and time.monotonic() >= folders:
                with self._changing:
                    for model in list(self.models.values()):
                        self._poll(model)
                folders = time.monotonic() + pauses[0]
            if pauses[1] and time.monotonic() >= config:
                try:
                    self._read_config_file()
                except (Refused, text_format.ParseError, OSError) as error:
                    log(f"Failed to reload the configuration, the old one stays: {error}")
                config = time.monotonic() + pauses[1]

    def _read_config_file(self) -> None:
        text = Path(self.options.model_config_file).read_text()
        if text != self._config_text:
            self.configure(text_format.Parse(text, model_server_config_pb2.ModelServerConfig()))
            self._config_text = text

    def _poll(self, model: Model) -> None:
        """Load what is new, and only then unload what is no longer wanted: there is always a version that answers."""
        try:
            aspired = model.aspired()
        except OSError as error:
            log(f"Could not find base path {model.base_path} for servable {model.name}: {error}")
            return
        if not aspired:
            hint = "Did you forget to name your leaf directory as a number (eg. '/1/')?"
            log(f"No versions of servable {model.name} found under base path {model.base_path}. {hint}")
        for number, path in aspired.items():
            version = model.versions.get(number)
            if version is None or (version.state == "END" and version.code == "OK"):
                version = model.versions[number] = Version(number)
            if version.state in ("START", "LOADING") and time.monotonic() >= version.next_attempt:
                self._load(model, version, path)
        if not aspired or set(aspired) & set(model.available()):
            for version in list(model.versions.values()):
                if version.number not in aspired:
                    self._unload(model, version)

    def _load(self, model: Model, version: Version, path: Path) -> None:
        version.state = "LOADING"
        what = f"{{name: {model.name} version: {version.number}}}"
        try:
            version.servable = Servable(model.name, version.number, path, self._batching, self.metrics)
        except Exception as error:  # files that are missing, cut off, or no model at all
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            log(f"Loading servable: {what} failed: {reason}")
            self.metrics.count("cc:saved_model:load_attempt_count", model_path=str(path), status="fail")
            version.attempts += 1
            version.next_attempt = time.monotonic() + self.options.load_retry_interval_micros / 1e6
            if version.attempts > self.options.max_num_load_retries:
                version.state, version.code, version.message = "END", "UNKNOWN", reason
            return
        self.metrics.count("cc:saved_model:load_attempt_count", model_path=str(path), status="success")
        version.code, version.message = "OK", ""
        with self._lock:
            version.state = "AVAILABLE"
        log(f"Successfully loaded servable version {what}")

    def _unload(self, model: Model, version: Version) -> None:
        if version.state == "END":
            return
        with self._lock:  # from here on no new request gets it
            version.state, servable, version.servable = "UNLOADING", version.servable, None
        if servable:
            servable.wait_until_idle()  # those that have it are answered first
            log(f"Done unloading servable version {{name: {model.name} version: {version.number}}}")
        version.state = "END"


# --- metrics, in Prometheus' text format ---------------------------------------------------------------------------


class Metrics:
    """Counters and histograms, as Prometheus asks for them."""

    LIMITS = tuple(10 * 1.8**n for n in range(33))  # microseconds, up to 25 minutes

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._histograms: dict[str, dict[str, list]] = defaultdict(dict)

    def count(self, name: str, **labels: str) -> None:
        with self._lock:
            self._counters[name][_labels(labels)] += 1

    def observe(self, name: str, value: float, **labels: str) -> None:
        with self._lock:
            buckets = self._histograms[name].setdefault(_labels(labels), [0] * (len(self.LIMITS) + 1) + [0.0])
            buckets[int(np.searchsorted(self.LIMITS, value, side="right"))] += 1
            buckets[-1] += value

    def page(self) -> str:
        lines = []
        with self._lock:
            for name, cells in sorted(self._counters.items()):
                lines.append(f"# TYPE :tensorflow:{name} counter")
                lines += [f":tensorflow:{name}{{{labels}}} {n}" for labels, n in cells.items()]
            for name, cells in sorted(self._histograms.items()):
                lines.append(f"# TYPE :tensorflow:{name} histogram")
                for labels, (*buckets, total) in cells.items():
                    start, so_far = f":tensorflow:{name}", 0
                    for limit, n in zip((*(f"{x:g}" for x in self.LIMITS), "+Inf"), buckets, strict=True):
                        so_far += n
                        joined = ",".join(filter(None, (labels, f'le="{limit}"')))
                        lines.append(f"{start}_bucket{{{joined}}} {so_far}")
                    lines += [f"{start}_sum{{{labels}}} {total:g}", f"{start}_count{{{labels}}} {so_far}"]
        return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{key}="{value}"' for key, value in labels.items())


# --- JSON to arrays, and back --------------------------------------------------------------------------------------


def type_of(number: int) -> str:
    return tf.as_dtype(number).name


def name_of(dtype: str) -> str:
    """Return a type's name as error messages have it: float and double, not float32 and float64."""
    return {"float32": "float", "float64": "double"}.get(dtype, dtype)


def is_binary(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str)


def to_array(value: object, dtype: str) -> np.ndarray:
    """Make an array of numbers, texts or nested lists of them; refuse what does not fit."""
    leaves, shape = [value], []
    while leaves and isinstance(leaves[0], list):
        shape.append(len(leaves[0]))
        for leaf in leaves:
            if not isinstance(leaf, list):
                message = f"JSON Value: {json.dumps(leaf)} found at incorrect level: {len(shape)} in the JSON DOM."
                raise Refused("INVALID_ARGUMENT", message)
            if len(leaf) != shape[-1]:
                message = f"Encountered list at unexpected size: {len(leaf)} at level: {len(shape) - 1}"
                raise Refused("INVALID_ARGUMENT", f"{message} expected size: {shape[-1]}")
        leaves = [inner for leaf in leaves for inner in leaf]
    values = [to_value(leaf, dtype) for leaf in leaves]
    return np.array(values, dtype=object if dtype == "string" else dtype).reshape(shape)


def to_value(leaf: object, dtype: str) -> object:
    if isinstance(leaf, list):
        raise Refused("INVALID_ARGUMENT", "Encountered list at unexpected level")
    if dtype == "string":
        if is_binary(leaf):
            try:
                return base64.b64decode(leaf["b64"], validate=True)
            except ValueError:
                raise Refused("INVALID_ARGUMENT", "Unable to base64 decode") from None
        if isinstance(leaf, str):
            return leaf.encode()
    elif dtype == "bool":
        if isinstance(leaf, bool):
            return leaf
    elif (isinstance(leaf, float) and dtype.startswith("float")) or (
        isinstance(leaf, int) and not isinstance(leaf, bool)
    ):
        return leaf
    kinds = {dict: "Object", str: "String", type(None): "Null", bool: str(leaf), int: "Number", float: "Number"}
    raise Refused(
        "INVALID_ARGUMENT",
        f"JSON Value: {json.dumps(leaf)} Type: {kinds[type(leaf)]} is not of expected type: {name_of(dtype)}",
    )


def from_array(array: np.ndarray, binary: bool) -> object:
    """Make numbers, texts or nested lists of an array, such as JSON can hold."""
    if array.ndim:
        return [from_array(np.asarray(inner, dtype=array.dtype), binary) for inner in array]
    value = array.item()
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()} if binary else value.decode("utf-8", "replace")
    if array.dtype == np.float32 and np.isfinite(value):
        short = f"{value:g}"  # six digits, or nine where six do not bring the same number back
        return float(short if np.float32(short) == value else f"{value:.9g}")
    return value


def read_predict(body: dict, definition) -> tuple[dict[str, np.ndarray], bool]:
    """Return a REST request's tensors, and whether it came in rows (`instances`) or in columns (`inputs`)."""
    inputs = {name: type_of(info.dtype) for name, info in definition.inputs.items()}
    if ("instances" in body) == ("inputs" in body):
        if "inputs" in body:
            message = "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist "
            raise Refused("INVALID_ARGUMENT", f"JSON Value: {json.dumps(body)} {message}")
        raise Refused("INVALID_ARGUMENT", "Missing 'inputs' or 'instances' key")
    if "inputs" in body:
        return read_columns(body["inputs"], inputs), False
    rows = body["instances"]
    if not isinstance(rows, list):
        raise Refused("INVALID_ARGUMENT", f"JSON Value: {json.dumps(body)} Excepting 'instances' to be an list/array")
    if not rows:
        raise Refused("INVALID_ARGUMENT", f"JSON Value: {json.dumps(body)} No values in 'instances' array")
    named = [isinstance(row, dict) and not is_binary(row) for row in rows]
    if not named[0] and len(inputs) > 1:
        raise Refused(
            "INVALID_ARGUMENT",
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map",
        )
    if len(set(named)) > 1:
        number = named.index(not named[0])
        kinds = ("object", "list") if named[0] else ("value/list", "object")
        message = f"Expecting {kinds[0]} but got {kinds[1]} at item {number} of input list"
        raise Refused("INVALID_ARGUMENT", message)
    if not named[0]:
        rows = [{next(iter(inputs)): row} for row in rows]
    for number, row in enumerate(rows):
        if set(row) != set(inputs):
            raise Refused(
                "INVALID_ARGUMENT",
                f"Failed to process element: {number} of 'instances' list. JSON object: {json.dumps(row)} "
                f"keys must be equal to: {','.join(sorted(inputs))}",
            )
    tensors = {}
    for name, dtype in inputs.items():
        parts = []
        for number, row in enumerate(rows):
            where = f"Failed to process element: {number} key: {name} of 'instances' list. Error: INVALID_ARGUMENT: "
            try:
                parts.append(to_array(row[name], dtype))
                if parts[-1].shape != parts[0].shape:
                    shapes = (str(list(p.shape)).replace(" ", "") for p in (parts[0], parts[-1]))
                    raise Refused("INVALID_ARGUMENT", "Expecting shape {} but got: {}".format(*shapes))
            except Refused as error:
                raise Refused(error.code, where + error.message) from None
        tensors[name] = np.stack(parts)
    return tensors, True


def read_columns(value: object, inputs: dict[str, str]) -> dict[str, np.ndarray]:
    if isinstance(value, dict) and not is_binary(value):
        for name in inputs:
            if name not in value:
                raise Refused("INVALID_ARGUMENT", f"Missing named input: {name} in 'inputs' object.")
        return {name: to_array(value[name], dtype) for name, dtype in inputs.items()}
    if len(inputs) > 1:
        raise Refused(
            "INVALID_ARGUMENT",
            "inputs is a plain value/list, but expecting an object as multiple "
            "input tensors required as per tensorinfo_map",
        )
    ((name, dtype),) = inputs.items()
    return {name: to_array(value, dtype)}


def write_predict(outputs: dict[str, np.ndarray], rows: bool) -> dict:
    """Return what REST answers: a list of rows, or columns; without names where there is but one output."""
    lists = {}
    for name, array in sorted(outputs.items()):
        if rows and not array.ndim:
            raise Refused("INVALID_ARGUMENT", f"Tensor name: {name} has no shape information ")
        lists[name] = from_array(array, binary=name.endswith("_bytes"))
    if not rows:
        return {"outputs": lists if len(lists) > 1 else next(iter(lists.values()))}
    if len({len(values) for values in lists.values()}) > 1:
        raise Refused("INVALID_ARGUMENT", "Tensors have an inconsistent batch size")
    if len(lists) == 1:
        return {"predictions": next(iter(lists.values()))}
    return {"predictions": [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]}


def read_examples(body: dict) -> list[bytes]:
    """Return the examples of a request to :classify or :regress, as TensorFlow writes them down."""
    if not isinstance(body.get("examples"), list) or not body["examples"]:
        raise Refused("INVALID_ARGUMENT", f"JSON Value: {json.dumps(body)} key 'examples' is expected, a list")
    context, examples = body.get("context", {}), []
    for entry in body["examples"]:
        example = tf.train.Example()
        for name, value in {**context, **entry}.items():
            feature = example.features.feature[name]
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, bool | int):
                    feature.int64_list.value.append(int(item))
                elif isinstance(item, float):
                    feature.float_list.value.append(item)
                else:
                    feature.bytes_list.value.append(to_value(item, "string"))
        examples.append(example.SerializeToString())
    return examples


# --- what both APIs ask for ----------------------------------------------------------------------------------------


class Answers:
    """Predict, classify, regress, status and metadata; REST and gRPC only translate."""

    def __init__(self, manager: Manager, metrics: Metrics) -> None:
        self.manager, self._metrics = manager, metrics

    @contextlib.contextmanager
    def counted(self, model: str, api: str, entrypoint: str):
        """Count a request by its outcome, and measure how long it takes."""
        started, status = time.perf_counter(), "OK"
        try:
            yield
        except Refused as error:
            status = error.code
            raise
        finally:
            micros = (time.perf_counter() - started) * 1e6
            self._metrics.count("serving:request_count", model_name=model, status=status)
            self._metrics.observe("serving:request_latency", micros, model_name=model, API=api, entrypoint=entrypoint)

    def examples(self, servable: Servable, signature: str, method: str, examples: list[bytes]):
        """Run a signature that was made for tf.Examples, and say so if it was not."""
        name, definition = servable.signature(signature)
        wanted = f"tensorflow/serving/{method}"
        if definition.method_name != wanted:
            kind = {"classify": "classification", "regress": "regression"}[method]
            message = f"Expected {kind} signature method_name to be {wanted}. Was: {definition.method_name}"
            raise Refused("INVALID_ARGUMENT", message)
        outputs = servable.predict(name, {"inputs": np.array(examples, dtype=object)})
        if method == "regress":
            return from_array(outputs["outputs"].reshape(len(examples)), binary=False)
        scores = outputs.get("scores", np.zeros_like(next(iter(outputs.values())), dtype="float32"))
        classes = outputs.get("classes", np.full(scores.shape, b"", dtype=object))
        return [
            [(label.decode(), from_array(score, binary=False)) for label, score in zip(labels, values, strict=True)]
            for labels, values in zip(classes, scores, strict=True)
        ]

    def status(self, name: str, version: int | None) -> get_model_status_pb2.GetModelStatusResponse:
        answer = get_model_status_pb2.GetModelStatusResponse()
        for known in self.manager.status(name, version):
            entry = answer.model_version_status.add(version=known.number, state=known.state)
            entry.status.error_code = {code: number for number, code in CODES.items()}[known.code]
            entry.status.error_message = known.message
        return answer

    def metadata(self, servable: Servable) -> get_model_metadata_pb2.GetModelMetadataResponse:
        answer = get_model_metadata_pb2.GetModelMetadataResponse()
        answer.model_spec.name = servable.name
        answer.model_spec.version.value = servable.version
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in servable.signatures.items():
            signatures.signature_def[name].CopyFrom(definition)
        answer.metadata["signature_def"].Pack(signatures)
        return answer


# --- REST ----------------------------------------------------------------------------------------------------------

WHICH = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
POST = re.compile(rf"/v1/models/(?P<model>[^/:]+){WHICH}:(?P<method>classify|regress|predict)", re.IGNORECASE)
GET = re.compile(rf"/v1/models/(?P<model>[^/:]+){WHICH}(?P<metadata>/metadata)?", re.IGNORECASE)


class Rest(BaseHTTPRequestHandler):
    """Translates HTTP and JSON."""

    protocol_version = "HTTP/1.1"  # clients may keep their connection
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True
    answers: Answers
    metrics: Metrics | None

    def do_GET(self) -> None:
        if self.path == METRICS_PATH and self.metrics:
            self._send(200, self.metrics.page(), "text/plain")
        else:
            self._answer("GET", lambda: self._get(GET.fullmatch(self.path)))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer("POST", lambda: self._post(POST.fullmatch(self.path), body))

    def _answer(self, verb: str, work) -> None:
        if not self.path.lower().startswith("/v1/"):
            self._send(404, "Not Found", "text/plain")
            return
        try:
            self._send(200, json.dumps(work(), indent=4))
        except Refused as error:
            self._send(HTTP.get(error.code, 500), json.dumps({"error": error.message}))
        except Exception as error:
            self._send(500, json.dumps({"error": f"{type(error).__name__}: {error}"}))

    def _get(self, asked) -> dict:
        if not asked:
            raise Refused("INVALID_ARGUMENT", f"Malformed request: GET {self.path}")
        version = int(asked["version"]) if asked["version"] else None
        options = {"preserving_proto_field_name": True, "always_print_fields_with_no_presence": True}
        if asked["metadata"]:
            answer = self.answers.metadata(self.answers.manager.find(asked["model"], version, asked["label"] or ""))
            signatures = get_model_metadata_pb2.SignatureDefMap()
            answer.metadata["signature_def"].Unpack(signatures)
            return {
                "model_spec": json_format.MessageToDict(answer.model_spec, **options),
                "metadata": {"signature_def": json_format.MessageToDict(signatures, **options)},
            }
        if asked["label"]:
            version = self.answers.manager.find(asked["model"], label=asked["label"]).version
        return json_format.MessageToDict(self.answers.status(asked["model"], version), **options)

    def _post(self, asked, text: bytes) -> dict:
        if not asked:
            raise Refused("INVALID_ARGUMENT", f"Malformed request: POST {self.path}")
        version, method = int(asked["version"]) if asked["version"] else None, asked["method"].lower()
        with (
            self.answers.counted(asked["model"], method, "REST"),
            self.answers.manager.use(asked["model"], version, asked["label"] or "") as servable,
        ):
            try:
                body = json.loads(text)
            except ValueError as error:
                raise Refused("INVALID_ARGUMENT", f"JSON Parse error: {error}") from None
            if not isinstance(body, dict):
                raise Refused("INVALID_ARGUMENT", f"JSON Value: {json.dumps(body)} Is not object")
            signature = body.get("signature_name", "")
            if not isinstance(signature, str):
                message = "not formatted correctly. 'signature_name' key must be a string value."
                raise Refused("INVALID_ARGUMENT", f"JSON Value: {json.dumps(body)} {message}")
            if method != "predict":
                return {"results": self.answers.examples(servable, signature, method, read_examples(body))}
            name, definition = servable.signature(signature)
            tensors, rows = read_predict(body, definition)
            return write_predict(servable.predict(name, tensors), rows)

    def _send(self, status: int, text: str, kind: str = "application/json") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing of each request: there are thousands."""


class HTTPServer(ThreadingHTTPServer):
    """One thread a connection."""

    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up."""


# --- gRPC ----------------------------------------------------------------------------------------------------------


def spec(request) -> dict:
    """Return which version a request's ModelSpec asks for."""
    asked = request.model_spec
    version = asked.version.value if asked.HasField("version") else None
    return {"name": asked.name, "version": version, "label": asked.version_label}


def or_abort(method):
    """Turn Refused into gRPC's way of saying so."""

    def answer(self, request, context):
        try:
            return method(self, request, context)
        except Refused as error:
            return context.abort(grpc.StatusCode[error.code], error.message)

    return answer


class Predictions(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Translates the messages of PredictionService."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    @or_abort
    def Predict(self, request, context):  # noqa: N802 - gRPC's names
        name = request.model_spec.name
        with self.answers.counted(name, "predict", "GRPC"), self.answers.manager.use(**spec(request)) as servable:
            signature, definition = servable.signature(request.model_spec.signature_name)
            wanted = list(request.output_filter) or sorted(definition.outputs)
            for alias in wanted:
                if alias not in definition.outputs:
                    known = ",".join(sorted(definition.outputs))
                    message = f"output tensor alias not found in signature: {alias}"
                    raise Refused("INVALID_ARGUMENT", f"{message} Outputs expected to be in the set {{{known}}}.")
            tensors = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
            outputs = servable.predict(signature, tensors)
            response = predict_pb2.PredictResponse()
            response.model_spec.name, response.model_spec.signature_name = name, signature
            response.model_spec.version.value = servable.version
            for alias in wanted:
                response.outputs[alias].CopyFrom(tf.make_tensor_proto(outputs[alias]))
            return response

    @or_abort
    def Classify(self, request, context):  # noqa: N802
        response = classification_pb2.ClassificationResponse()
        for example in self._examples(request, "classify", response):
            classes = response.result.classifications.add()
            for label, score in example:
                classes.classes.add(label=label, score=score)
        return response

    @or_abort
    def Regress(self, request, context):  # noqa: N802
        response = regression_pb2.RegressionResponse()
        for value in self._examples(request, "regress", response):
            response.result.regressions.add(value=value)
        return response

    @or_abort
    def GetModelMetadata(self, request, context):  # noqa: N802
        if list(request.metadata_field) != ["signature_def"]:
            raise Refused("INVALID_ARGUMENT", "GetModelMetadataRequest must specify signature_def as metadata_field")
        return self.answers.metadata(self.answers.manager.find(**spec(request)))

    def _examples(self, request, method: str, response):
        name = request.model_spec.name
        with self.answers.counted(name, method, "GRPC"), self.answers.manager.use(**spec(request)) as servable:
            response.model_spec.name = name
            response.model_spec.version.value = servable.version
            examples = [example.SerializeToString() for example in request.input.example_list.examples]
            if not examples:
                raise Refused("INVALID_ARGUMENT", "Input is empty.")
            return self.answers.examples(servable, request.model_spec.signature_name, method, examples)


class Models(model_service_pb2_grpc.ModelServiceServicer):
    """Translates the messages of ModelService."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    @or_abort
    def GetModelStatus(self, request, context):  # noqa: N802
        asked = spec(request)
        return self.answers.status(asked["name"], asked["version"])

    @or_abort
    def HandleReloadConfigRequest(self, request, context):  # noqa: N802
        response = model_management_pb2.ReloadConfigResponse()
        try:
            self.answers.manager.configure(request.config)
        except Refused as error:
            response.status.error_code = {code: number for number, code in CODES.items()}[error.code]
            response.status.error_message = error.message
        return response


# --- the server ----------------------------------------------------------------------------------------------------


class ModelServer:
    """The imitation, in threads of this process: `with ModelServer(model_base_path=…, model_name=…) as server`.

    It takes the flags of `python serving.py --help` as keyword arguments; ports default to free ones.
    """

    def __init__(self, **flags: object) -> None:
        self.options = parser().parse_args([])
        for name in flags:
            if name not in self.options:
                raise TypeError(f"there is no flag --{name}")
        vars(self.options).update({"port": 0, "rest_api_port": 0, **flags})
        self.metrics = Metrics()
        self.manager = Manager(self.options, self.metrics)
        self.answers = Answers(self.manager, self.metrics)

    def __enter__(self) -> ModelServer:
        shown = self.metrics if monitoring(self.options) else None
        handler = type("Rest", (Rest,), {"answers": self.answers, "metrics": shown})
        self.manager.start()
        self._http = HTTPServer(("127.0.0.1", self.options.rest_api_port), handler)
        self._grpc = grpc.server(ThreadPoolExecutor(self.options.grpc_threads))
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Predictions(self.answers), self._grpc)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(Models(self.answers), self._grpc)
        port = self._grpc.add_insecure_port(f"127.0.0.1:{self.options.port}")
        self._grpc.start()
        self._thread = threading.Thread(target=self._http.serve_forever, args=[0.05], daemon=True)
        self._thread.start()
        self.url, self.grpc = f"http://127.0.0.1:{self._http.server_port}", f"127.0.0.1:{port}"
        log(f"Running gRPC ModelServer at {self.grpc} ...")
        log(f"Exporting HTTP/REST API at: {self.url} ...")
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        self._grpc.stop(0).wait()
        self.manager.stop()


class Running:
    """A server process that `start` has started, real or imitation."""

    def __init__(self, command: list[str], url: str, address: str, imitation: bool, folder: Path) -> None:
        self.command, self.url, self.grpc, self.imitation = command, url, address, imitation
        self._log = folder / "log.txt"
        with self._log.open("w") as file:
            environment = {**os.environ, "SERVING_LIFELINE": "1"}
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=file, stderr=subprocess.STDOUT, env=environment
            )

    def log(self) -> str:
        """Return what the server has written so far."""
        return self._log.read_text(errors="replace")

    def status(self, name: str) -> dict[int, str]:
        """Return the state of each version that the server knows of."""
        try:
            with urllib.request.urlopen(f"{self.url}/v1/models/{name}", timeout=10) as answer:
                known = json.load(answer)["model_version_status"]
        except urllib.error.HTTPError as error:
            with error:
                return {}
        return {int(entry["version"]): entry["state"] for entry in known}

    def wait_for(self, name: str, version: int | None = None, state: str = "AVAILABLE", timeout: float = 120) -> None:
        """Wait until a version (any, if none is named) is in this state."""
        deadline, seen = time.monotonic() + timeout, {}
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                seen = self.status(name)
                if state in (seen.values() if version is None else [seen.get(version)]):
                    return
            time.sleep(0.02)
        raise RuntimeError(f"{name} {version or ''} is not {state}: {seen}\n{self.log()[-2000:]}")


@contextlib.contextmanager
def start(
    folder: str | Path | None = None,
    *,
    name: str = "model",
    config: str | Path | None = None,
    batching: dict[str, int] | None = None,
    flags: tuple[str, ...] = (),
    poll: int = 1,
    timeout: float = 180,
):
    """Start a model server in a process of its own, wait until it serves, and end it after the block.

    `folder` is the base path of the model `name`: the folder that holds the folders `1`, `2`, …; or `config` is a
    file with a ModelServerConfig, which is read again when it changes. `batching` holds batching parameters, such as
    `{"max_batch_size": 32, "batch_timeout_micros": 5000}`. `poll` are the whole seconds between two looks at the
    folders. `flags` are added to the command line as they are.

    The block gets a `Running`: `.url`, `.grpc` (an address), `.imitation`, `.command`, `.process`, `.log()`,
    `.status(name)`, `.wait_for(name, version, state)`.
    """
    real = shutil.which("tensorflow_model_server")
    program = [real] if real else [sys.executable, str(Path(__file__).resolve())]
    with tempfile.TemporaryDirectory(prefix="serving-") as place:
        files = Path(place)
        (files / "monitoring.config").write_text(f'prometheus_config {{ enable: true path: "{METRICS_PATH}" }}\n')
        rest, port = free_ports(2)
        command = [*program, f"--rest_api_port={rest}", f"--port={port}"]
        if config:
            command += [f"--model_config_file={config}", f"--model_config_file_poll_wait_seconds={poll}"]
            entries = text_format.Parse(Path(config).read_text(), model_server_config_pb2.ModelServerConfig())
            names = [entry.name for entry in entries.model_config_list.config]
        else:
            command += [f"--model_name={name}", f"--model_base_path={Path(folder).resolve()}"]
            names = [name]
        command += [
            f"--file_system_poll_wait_seconds={poll}",
            f"--monitoring_config_file={files / 'monitoring.config'}",
        ]
        if batching:
            text = "".join(f"{key} {{ value: {value} }}\n" for key, value in batching.items())
            (files / "batching.config").write_text(text)
            command += ["--enable_batching=true", f"--batching_parameters_file={files / 'batching.config'}"]
        address = f"127.0.0.1:{port}"
        server = Running([*command, *flags], f"http://127.0.0.1:{rest}", address, not real, files)
        try:
            for model in names:
                server.wait_for(model, timeout=timeout)
            yield server
        finally:
            server.process.terminate()
            try:
                server.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait()
            server.process.stdin.close()


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def parser() -> argparse.ArgumentParser:
    """Return the flags: names and defaults are the real binary's."""

    def yes(text: str) -> bool:
        return text.lower() in ("true", "1", "")

    flags = argparse.ArgumentParser(description="A small imitation of tensorflow_model_server.", allow_abbrev=False)
    flags.add_argument("--port", type=int, default=8500, help="of the gRPC API")
    flags.add_argument("--rest_api_port", type=int, default=8501, help="of the REST API (the real one: off by default)")
    flags.add_argument("--model_name", default="default")
    flags.add_argument("--model_base_path", help="the folder that holds the folders 1, 2, …")
    flags.add_argument("--model_config_file", help="a ModelServerConfig, instead of the two above")
    flags.add_argument("--model_config_file_poll_wait_seconds", type=float, default=0, help="0: never again")
    flags.add_argument("--file_system_poll_wait_seconds", type=float, default=1, help="0: never again")
    flags.add_argument("--max_num_load_retries", type=int, default=5)
    flags.add_argument("--load_retry_interval_micros", type=int, default=60_000_000)
    boolean = {"type": yes, "nargs": "?", "const": True, "default": False}
    flags.add_argument("--allow_version_labels_for_unavailable_models", **boolean)
    flags.add_argument("--enable_batching", **boolean)
    flags.add_argument("--batching_parameters_file", help="such as: max_batch_size { value: 32 }")
    flags.add_argument("--monitoring_config_file", help="such as: prometheus_config { enable: true path: ... }")
    flags.add_argument("--grpc_threads", type=int, default=16, help=argparse.SUPPRESS)
    return flags


def batching_parameters(options: argparse.Namespace) -> dict[str, int] | None:
    """Return the parameters that the file names, with the real server's defaults for the rest; None: no batching."""
    if not options.enable_batching:
        if options.batching_parameters_file:
            raise ValueError("You supplied --batching_parameters_file without --enable_batching")
        return None
    known = {
        "max_batch_size": 1000,
        "batch_timeout_micros": 0,
        "num_batch_threads": os.cpu_count() or 1,
        "max_enqueued_batches": 10,
    }
    if options.batching_parameters_file:
        text = re.sub(r"#.*", "", Path(options.batching_parameters_file).read_text())
        found = dict(re.findall(r"(\w+)\s*{\s*value\s*:\s*(\d+)\s*}", text))
        known.update({key: int(value) for key, value in found.items() if key in known})
    return known


def monitoring(options: argparse.Namespace) -> bool:
    if not options.monitoring_config_file:
        return False
    return bool(re.search(r"enable\s*:\s*true", Path(options.monitoring_config_file).read_text()))


def log(text: str) -> None:
    if __name__ == "__main__":
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def main() -> None:
    options = parser().parse_args()
    if not (options.model_base_path or options.model_config_file):
        parser().error("--model_base_path or --model_config_file is wanted")
    try:
        with ModelServer(**vars(options)):
            if os.environ.get("SERVING_LIFELINE"):
                sys.stdin.buffer.read()  # ends when the process that started this one does
            else:
                threading.Event().wait()
    except Refused as error:
        sys.exit(f"Failed to start server. Error: {error.code}: {error.message}")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
