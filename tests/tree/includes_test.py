#!/usr/bin/env python3
"""Does every #include follow the arrows of the tree, and does nothing else lie at the top?

    app ──► models ──► kernels      An arrow means "may include".
     │         └────► core          kernels and core know neither each other nor anyone above them.
     └──────────────► core

The rules are functions from a tree to its faults; the tests below hold them against planted faults and against the
real tree.
"""
import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

MAY_INCLUDE = {
    "app": {"app", "models", "core"},
    "models": {"models", "kernels", "core"},
    "core": {"core"},
    "kernels": {"kernels"},
}
LAYERS = set(MAY_INCLUDE)
TOP = LAYERS | {"assets", "tests", "CMakeLists.txt", "CMakePresets.json", "README.md", "CHANGELOG.md", "LICENSE", "NOTICE",
                "longtake"}
NOT_OURS = {"build", "compile_commands.json"}  # what tools put there

SOURCE_SUFFIXES = {".h", ".cpp", ".cu", ".cuh"}
HEADER_SUFFIXES = {".h", ".cuh"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]*)"|<([^>]*)>)', re.MULTILINE)

GENERATED = re.compile(r"\w+\.inc")  # tests may include what their build makes

STANDARD = set("""
    algorithm any array atomic barrier bit bitset charconv chrono codecvt compare complex concepts condition_variable
    coroutine deque exception execution expected filesystem format forward_list fstream functional future
    initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource
    mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator semaphore set
    shared_mutex source_location span sstream stack stdexcept stop_token streambuf string string_view strstream
    syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray
    variant vector version
    cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp csignal cstdarg cstddef cstdint cstdio
    cstdlib cstring ctime cuchar cwchar cwctype
    assert.h ctype.h errno.h fenv.h float.h inttypes.h limits.h locale.h math.h setjmp.h signal.h stdarg.h stddef.h
    stdint.h stdio.h stdlib.h string.h time.h uchar.h wchar.h wctype.h
""".split())

TORCH = re.compile(r"^(torch|ATen|c10|caffe2)/")
QT = re.compile(r"^(Qt[A-Z]\w*/|Q[A-Z]\w*$|q[a-z0-9]+\.h$)")

# Where the headers of other projects may appear, apart from tests.
HOMES = [
    ("LibTorch", TORCH, ("models/",)),
    ("Qt", QT, ("app/studio/",)),
    ("FFmpeg", re.compile(r"^lib(av|sw)[a-z]+/"), ("core/media/",)),
    ("OpenCV", re.compile(r"^opencv2/"), ("core/media/", "core/signals/")),
    ("CLI11", re.compile(r"^CLI/"), ("app/",)),
    ("cairo", re.compile(r"^cairo"), ("app/plot_canvas.cpp",)),
    ("SQLite", re.compile(r"^sqlite3\.h"), ("app/batch/",)),
    ("spdlog", re.compile(r"^spdlog/"), ("app/",)),
    ("Highway", re.compile(r"^hwy/"), ("kernels/",)),
]
# What would give a kernel files, logging or threads of its own.
NOT_IN_KERNELS = {"thread", "mutex", "condition_variable", "future", "fstream", "filesystem", "iostream", "cstdio", "stdio.h"}
# Bodies that are compiled once per instruction set; only the sources of their folder may see them.
BODY = re.compile(r"kernels/.*-inl\.h")
# The one header whose job is to wrap a library's handles; nothing outside its folder may come to include it.
WRAPPERS = {"core/media/ffmpeg_handles.h"}


class Tree:
    """The sources under a root: for each its quoted and its angled includes."""

    def __init__(self, root):
        self.root = root
        self.quoted = {}
        self.angled = {}
        for top in sorted(LAYERS | {"tests"}):
            for path in sorted((root / top).rglob("*")):
                if path.suffix in SOURCE_SUFFIXES and path.is_file():
                    found = INCLUDE.findall(path.read_text(encoding="utf-8"))
                    name = path.relative_to(root).as_posix()
                    self.quoted[name] = [quoted for quoted, _ in found if quoted]
                    self.angled[name] = [angled for _, angled in found if angled]

    def reachable(self, name):
        """The file and everything of ours that it includes, however deep."""
        seen, open_ = set(), [name]
        while open_:
            file = open_.pop()
            if file not in seen and file in self.quoted:
                seen.add(file)
                open_ += self.quoted[file]
        return seen


def layer(name):
    return name.split("/")[0]


def faults_of_arrows(tree):
    for name, includes in tree.quoted.items():
        for included in includes:
            if name.startswith("tests/") and GENERATED.fullmatch(included):
                continue
            if included not in tree.quoted:
                yield f'{name}: "{included}" is no file of this tree, seen from its root'
            elif not name.startswith("tests/") and layer(included) not in MAY_INCLUDE[layer(name)]:
                yield f'{name}: "{included}" goes against the arrows'
        for included in tree.angled[name]:
            if layer(included) in LAYERS | {"tests", "."} or included.startswith(".."):
                yield f"{name}: <{included}> is ours and belongs in quotation marks"


def faults_of_public_headers(tree):
    for name, includes in tree.angled.items():
        if layer(name) not in {"core", "kernels"} or pathlib.PurePath(name).suffix not in HEADER_SUFFIXES:
            continue
        if name in WRAPPERS or BODY.fullmatch(name):
            continue
        for included in includes:
            if included not in STANDARD:
                yield f"{name}: <{included}> is no header of the C++ standard library"


def faults_of_homes(tree):
    for name, includes in tree.angled.items():
        if name.startswith("tests/"):
            continue
        for included in includes:
            for project, pattern, homes in HOMES:
                if pattern.match(included) and not name.startswith(homes):
                    yield f"{name}: {project} stays in {' and '.join(homes)}"
            if layer(name) == "kernels" and included in NOT_IN_KERNELS:
                yield f"{name}: <{included}>: kernels have no files, output or threads of their own"


def faults_of_wrappers(tree):
    for name in tree.quoted:
        for wrapper in WRAPPERS & tree.reachable(name):
            if not name.removeprefix("tests/").startswith(wrapper.rpartition("/")[0]):
                yield f'{name}: "{wrapper}" stays in its folder, but is included here, perhaps by way of others'


def faults_of_bodies(tree):
    for name, includes in tree.quoted.items():
        if name.startswith("kernels/") and (name.endswith(".cpp") or BODY.fullmatch(name)):
            continue
        for included in filter(BODY.fullmatch, includes):
            yield f'{name}: "{included}" is for the sources of its folder'


def faults_of_torch_with_qt(tree):
    for name in tree.quoted:
        angled = [included for file in tree.reachable(name) for included in tree.angled[file]]
        if any(map(TORCH.match, angled)) and any(map(QT.match, angled)):
            yield f"{name}: a Torch header meets a Qt header"


def faults_of_top(tree):
    for path in sorted(tree.root.iterdir()):
        if path.name not in TOP | NOT_OURS and not path.name.startswith("."):
            yield f"{path.name}: does not belong at the top"


RULES = [faults_of_arrows, faults_of_public_headers, faults_of_homes, faults_of_wrappers, faults_of_bodies,
         faults_of_torch_with_qt, faults_of_top]


def faults(root):
    tree = Tree(root)
    return [fault for rule in RULES for fault in rule(tree)]


# A tree in which all is well, and what each rule has to find when a line is planted in it.
SOUND = {
    "app/main.cpp": '#include <CLI/CLI.hpp>\n#include "models/stack.h"\n#include "core/result.h"\n',
    "app/studio/window.cpp": "#include <QWidget>\n",
    "app/studio/plain.h": "#include <vector>\n",
    "models/stack.h": '#include "kernels/ttt.h"\n#include "core/result.h"\n',
    "models/backend.cpp": '#include <ATen/ATen.h>\n#include "models/stack.h"\n',
    "models/tensors.h": "#include <torch/types.h>\n",
    "core/result.h": "#include <string>\n#include <stdint.h>\n",
    "core/media/decoder.cpp": '#include <libavcodec/avcodec.h>\n#include "core/media/ffmpeg_handles.h"\n#include <unistd.h>\n',
    "core/media/ffmpeg_handles.h": "#include <libavutil/frame.h>\n",
    "core/media/inner.h": '#include "core/media/ffmpeg_handles.h"\n',
    "kernels/ttt.h": "#include <span>\n",
    "kernels/ttt.cpp": '#include <immintrin.h>\n#include "kernels/ttt.h"\n#include "kernels/tile-inl.h"\n',
    "kernels/tile-inl.h": "#include <hwy/highway.h>\n",
    "tests/all_test.cpp": '#include <gtest/gtest.h>\n#include "kernels/ttt.h"\n#include "app/studio/plain.h"\n',
    "tests/made_test.cpp": '#include "made.inc"\n',
    "CMakeLists.txt": "",
    "README.md": "",
    "longtake": "",
    ".gitignore": "",
    "build/x.cpp": '#include "nowhere.h"\n',
}
PLANTED = [
    ("app/main.cpp", '#include "kernels/ttt.h"', "goes against the arrows"),
    ("models/stack.h", '#include "app/studio/plain.h"', "goes against the arrows"),
    ("core/result.h", '#include "kernels/ttt.h"', "goes against the arrows"),
    ("core/media/decoder.cpp", '  #  include "models/stack.h"', "goes against the arrows"),
    ("kernels/ttt.cpp", '#include "core/result.h"', "goes against the arrows"),
    ("kernels/ttt.h", '#include "tests/all_test.cpp"', "goes against the arrows"),
    ("models/backend.cpp", '#include "stack.h"', "is no file of this tree"),
    ("models/backend.cpp", '#include "../core/result.h"', "is no file of this tree"),
    ("core/result.h", '#include "made.inc"', "is no file of this tree"),
    ("tests/all_test.cpp", '#include "../core/result.h"', "is no file of this tree"),
    ("models/backend.cpp", "#include <core/result.h>", "belongs in quotation marks"),
    ("core/result.h", "#include <fmt/format.h>", "is no header of the C++ standard library"),
    ("core/result.h", "#include <unistd.h>", "is no header of the C++ standard library"),
    ("kernels/ttt.h", "#include <immintrin.h>", "is no header of the C++ standard library"),
    ("app/main.cpp", "#include <torch/torch.h>", "LibTorch stays in"),
    ("app/main.cpp", "#include <QApplication>", "Qt stays in"),
    ("models/backend.cpp", "#include <QtWidgets/QLabel>", "Qt stays in"),
    ("models/backend.cpp", "#include <libavutil/frame.h>", "FFmpeg stays in"),
    ("models/backend.cpp", "#include <opencv2/core.hpp>", "OpenCV stays in"),
    ("core/media/decoder.cpp", "#include <spdlog/spdlog.h>", "spdlog stays in"),
    ("kernels/ttt.cpp", "#include <thread>", "kernels have no files, output or threads"),
    ("core/result.h", '#include "core/media/ffmpeg_handles.h"', "stays in its folder"),
    ("models/stack.h", '#include "core/media/inner.h"', "stays in its folder"),
    ("kernels/ttt.h", '#include "kernels/tile-inl.h"', "is for the sources of its folder"),
    ("models/backend.cpp", '#include "kernels/tile-inl.h"', "is for the sources of its folder"),
    ("models/backend.cpp", "#include <hwy/highway.h>", "Highway stays in"),
    ("kernels/ttt.h", "#include <hwy/highway.h>", "is no header of the C++ standard library"),
    ("app/studio/window.cpp", '#include "models/tensors.h"', "a Torch header meets a Qt header"),
    ("models/tensors.h", "#include <QString>", "a Torch header meets a Qt header"),
    ("notes.txt", "", "does not belong at the top"),
    ("docs", "", "does not belong at the top"),
]


class Includes(unittest.TestCase):
    maxDiff = None

    def planted(self, folder, name, line):
        files = dict(SOUND)
        files[name] = line + "\n" + files.get(name, "")
        for file, text in files.items():
            path = pathlib.Path(folder) / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return faults(pathlib.Path(folder))

    def test_find_nothing_in_a_sound_tree(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(self.planted(folder, "README.md", ""), [])

    def test_find_each_planted_fault(self):
        for name, line, wanted in PLANTED:
            with self.subTest(file=name, line=line), tempfile.TemporaryDirectory() as folder:
                found = self.planted(folder, name, line)
                self.assertTrue(any(name in fault and wanted in fault for fault in found), found)

    def test_follow_the_arrows_in_this_tree(self):
        self.assertGreater(len(Tree(ROOT).quoted), 20, "the tree was not found")
        self.assertEqual(faults(ROOT), [])


if __name__ == "__main__":
    unittest.main()
