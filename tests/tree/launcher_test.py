#!/usr/bin/env python3
"""Does ./longtake set up what is missing, start what is there, and say what went wrong?

Runs a copy of it in a folder of its own (with a space in its name) among stand-ins for apt-get, CMake and CTest that
only write down how they were called. Nothing is installed, fetched or built.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# A stand-in notes its call, then does its part, unless the test asks it to fail.
NOTE = '#!/bin/sh\nprintf "%s\\n" "${0##*/} $*" >>"$CALLS"\ncase " ${FAILS:-} " in *" ${0##*/} "*) exit 1;; esac\n'
STAND_INS = {
    "apt-get": "exit 0\n",
    "dpkg-query": 'for name; do :; done\ncase " ${MISSING:-} " in *" $name "*) exit 1;; *) echo installed;; esac\n',
    "cmake": 'case "$1" in\n--preset) mkdir -p build/release && : >build/release/build.ninja;;\n'
             '--build) printf \'#!/bin/sh\\nfor a; do printf "<%%s>" "$a"; done\\n[ -z "${EXIT:-}" ] || exit "$EXIT"\\n\' '
             '>"$2/longtake" && chmod +x "$2/longtake";;\nesac\necho cmake talks\n',
    "ctest": "pwd\necho '100% tests passed, 0 tests failed out of 7'\n",
    "id": "echo ${USER_ID:-0}\n",
    "sudo": 'exec "$@"\n',
}
FETCH_ENCODER = ('import os, pathlib, sys\nopen(os.environ["CALLS"], "a").write("fetch_encoder\\n")\n'
                 'if "fetch_encoder" in os.environ.get("FAILS", ""): sys.exit("no network")\n'
                 'path = pathlib.Path(__file__).parent / "models/default/encoder.safetensors"\n'
                 'path.parent.mkdir(parents=True, exist_ok=True)\npath.write_text("")\nprint("fetched")\n')
FETCH_DEMO = NOTE + 'mkdir -p "${1%/*}" && : >"$1"\n'


def write_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


class Launcher(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name).resolve()
        self.tree = self.top / "a tree"
        self.tree.mkdir()
        shutil.copy(ROOT / "longtake", self.tree / "longtake")
        for name in ("app", "core", "kernels", "models"):
            write_program(self.tree / name / "a.cpp", "")
        for name in ("CMakeLists.txt", "CMakePresets.json"):
            write_program(self.tree / name, "")
        write_program(self.tree / "assets/debian-packages.txt", "# comment\n\nalpha  # what for\nbeta\n")
        write_program(self.tree / "assets/fetch_encoder.py", FETCH_ENCODER)
        write_program(self.tree / "assets/fetch_demo.sh", FETCH_DEMO)
        for name, text in STAND_INS.items():
            write_program(self.top / "bin" / name, NOTE + text)

    def run_it(self, *args, launcher=None, cwd=None, **environment):
        """Returns the finished process and the calls of the stand-ins in their order."""
        calls = self.top / "calls"
        calls.write_text("")
        environment = {**os.environ, "PATH": f"{self.top / 'bin'}:{os.environ['PATH']}", "CALLS": str(calls), **environment}
        environment.pop("LONGTAKE_NO_INSTALL", None) if "LONGTAKE_NO_INSTALL" not in environment else None
        done = subprocess.run([str(launcher or self.tree / "longtake"), *args], cwd=cwd or self.top, env=environment,
                              capture_output=True, text=True, timeout=60)
        return done, [line for line in calls.read_text().splitlines() if not line.startswith(("id", "dpkg-query", "sudo"))]

    def make_older(self, *paths):
        for path in paths:
            os.utime(path, (1, 1))

    def age_sources(self):
        """As after a clone that was built later: everything is older than the stamp."""
        for path in self.tree.rglob("*"):
            if "build" not in path.relative_to(self.tree).parts:
                os.utime(path, (1, 1))

    def test_first_run_sets_up_then_starts_with_every_argument(self):
        done, calls = self.run_it("analyze", "my clip.mp4", "", "*", MISSING="beta")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "<analyze><my clip.mp4><><*>", "only the program writes to stdout")
        self.assertIn("longtake: installing these Debian packages: beta", done.stderr)
        self.assertEqual([call.split()[0] for call in calls], ["apt-get", "apt-get", "fetch_encoder", "cmake", "cmake"])
        self.assertEqual(calls[1], "apt-get -q install -y --no-install-recommends beta")
        self.assertIn("--target longtake", calls[4])

    def test_later_runs_start_at_once_and_say_nothing(self):
        self.age_sources()
        self.run_it("info")
        done, calls = self.run_it("info")
        self.assertEqual((done.stdout, done.stderr, calls), ("<info>", "", []))

    def test_hands_on_the_exit_status(self):
        self.age_sources()
        self.run_it("info")
        done, _ = self.run_it("info", EXIT="5")
        self.assertEqual(done.returncode, 5)

    def test_works_from_anywhere_and_through_a_link(self):
        self.age_sources()
        link = self.top / "bin" / "lt"
        link.symlink_to("../a tree/longtake")
        for launcher, cwd in ((link, "/"), ("lt", self.top), ("./longtake", self.tree), (link, self.tree / "app")):
            done, _ = self.run_it("info", launcher=launcher, cwd=cwd)
            self.assertEqual((done.returncode, done.stdout), (0, "<info>"), done.stderr)

    def test_builds_again_when_a_source_is_newer(self):
        self.age_sources()
        self.run_it("info")
        for name in ("core/a.cpp", "CMakeLists.txt", "models/new.cpp"):
            (self.tree / name).write_text("changed")
            done, calls = self.run_it("info")
            self.assertEqual([call.split()[1] for call in calls], ["--build"], name)
            self.age_sources()

    def test_names_what_is_missing_when_installing_is_forbidden(self):
        done, calls = self.run_it("info", MISSING="alpha beta", LONGTAKE_NO_INSTALL="1")
        self.assertEqual((done.returncode, done.stdout, calls), (1, "", []))
        self.assertIn("alpha beta", done.stderr)
        self.assertIn("LONGTAKE_NO_INSTALL", done.stderr)

    def test_forbidding_does_not_matter_when_all_is_installed(self):
        done, _ = self.run_it("info", LONGTAKE_NO_INSTALL="1")
        self.assertEqual((done.returncode, done.stdout), (0, "<info>"))

    def test_asks_sudo_when_not_root(self):
        done, calls = self.run_it("info", MISSING="alpha", USER_ID="1000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("apt-get -q install -y --no-install-recommends alpha", calls)

    def test_each_failing_step_stops_it_and_a_second_run_mends_it(self):
        for step, said in (("apt-get", "installing the packages failed"), ("fetch_encoder", "encoder could not be fetched"),
                           ("cmake", "configuring the build failed")):
            with self.subTest(step):
                shutil.rmtree(self.tree / "build", ignore_errors=True)
                shutil.rmtree(self.tree / "assets/models", ignore_errors=True)
                done, _ = self.run_it("info", MISSING="alpha", FAILS=step)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(said, done.stderr)
                done, _ = self.run_it("info")
                self.assertEqual((done.returncode, done.stdout), (0, "<info>"), done.stderr)

    def test_a_failed_build_is_not_taken_for_a_built_program(self):
        self.age_sources()
        self.run_it("info")
        (self.tree / "core/a.cpp").write_text("broken")
        for _ in range(2):
            done, _ = self.run_it("info", FAILS="cmake")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("building failed", done.stderr)

    def test_fetches_the_demo_clip_only_when_it_is_named(self):
        self.age_sources()
        _, calls = self.run_it("analyze", "other.mpg")
        self.assertFalse(any("fetch_demo" in call for call in calls))
        done, calls = self.run_it("analyze", "assets/demo/cityCC0.mpg")
        self.assertEqual(calls, [f"fetch_demo.sh {self.tree}/assets/demo/cityCC0.mpg"])
        self.assertEqual(done.stdout, "<analyze><assets/demo/cityCC0.mpg>")
        _, calls = self.run_it("analyze", "assets/demo/cityCC0.mpg")
        self.assertEqual(calls, [])

    def test_test_builds_everything_and_runs_it_from_the_tree(self):
        done, calls = self.run_it("test", "-R", "Two words")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines(), [str(self.tree), "100% tests passed, 0 tests failed out of 7"])
        self.assertIn("--target all", calls[-2])
        self.assertEqual(calls[-1], "ctest --preset release -R Two words")
        done, _ = self.run_it("test", FAILS="ctest")
        self.assertEqual(done.returncode, 1)

    def test_several_first_runs_at_once_build_once(self):
        calls = self.top / "calls"
        self.age_sources()
        environment = {**os.environ, "PATH": f"{self.top / 'bin'}:{os.environ['PATH']}", "CALLS": str(calls)}
        runs = [subprocess.Popen([str(self.tree / "longtake"), "info"], env=environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True) for _ in range(4)]
        self.assertEqual([run.communicate(timeout=60)[0] for run in runs], ["<info>"] * 4)
        self.assertEqual(sum("--build" in line for line in calls.read_text().splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
