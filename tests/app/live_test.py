#!/usr/bin/env python3
"""`longtake live` as a user runs it: files that stand in for cameras, and real streams over loop-back that are killed, stalled and
started again. Usage: live_test.py PATH/longtake [unittest arguments]"""
import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

PROGRAM = ""


def records(path, kind=None):
    # The last line may be half written while the program runs.
    lines = pathlib.Path(path).read_text(encoding="utf-8").split("\n")[:-1] if os.path.exists(path) else []
    return [one for one in map(json.loads, lines) if kind in (None, one["type"])]


def seen(path):
    """What equal frames give equal, wherever they come from: times and numbers of frames begin somewhere else."""
    out = []
    for one in records(path):
        if one["type"] == "frame":
            out.append({key: value for key, value in one.items() if key not in ("pts", "t")})
        elif one["type"] == "event":
            out.append({key: value for key, value in one.items() if key not in ("pts", "t")})
    return out


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix="longtake-live-")
        cls.clip = os.path.join(cls.shared, "clip.ts")
        cls.whole = os.path.join(cls.shared, "whole.jsonl")
        # Two scenes with a cut between them.
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2", "-f", "lavfi", "-i",
                        "mandelbrot=s=320x180:r=25", "-filter_complex", "[1]trim=duration=2[b];[0][b]concat=n=2", "-c:v",
                        "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "0", "-pix_fmt", "yuv420p", cls.clip], check=True)
        subprocess.run([PROGRAM, "analyze", cls.clip, "-o", cls.whole, "--no-progress"], check=True, stderr=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.shared)

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=self.shared)
        self.out = os.path.join(self.folder, "live.jsonl")
        self.running = []

    def tearDown(self):
        for process in self.running:
            process.kill()
            process.wait()

    def run_live(self, *arguments, code=0, **options):
        done = subprocess.run([PROGRAM, "live", *arguments], capture_output=True, text=True, timeout=300, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def start_live(self, *arguments, **options):
        process = subprocess.Popen([PROGRAM, "live", *arguments, "-o", self.out, "--stats-every", "0.5"],
                                   stderr=subprocess.PIPE, text=True, **options)
        self.running.append(process)
        return process

    def publish(self, to):
        process = subprocess.Popen(["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", self.clip, "-c", "copy", "-f",
                                    "mpegts", to], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.running.append(process)
        return process

    def end(self, process, with_signal=signal.SIGTERM, code=143):
        process.send_signal(with_signal)
        _, said = process.communicate(timeout=60)  # closes its end of standard error, too
        self.running.remove(process)
        self.assertEqual(process.returncode, code, said)
        return said

    def until(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                self.fail(f"{what}: not within {seconds} s; {records(self.out, 'stats')[-3:]}")
            time.sleep(0.05)

    def last_stats(self):
        return (records(self.out, "stats") or [{}])[-1]

    def assertBalanced(self, said):
        """All that came is accounted for, and the end says the same as the summary."""
        found = re.search(r"received (\d+) = watched (\d+) \+ dropped (\d+) \+ decode errors (\d+);", said)
        self.assertTrue(found, said)
        received, watched, dropped, errors = map(int, found.groups())
        self.assertEqual(received, watched + dropped + errors)
        end = records(self.out, "end")[0]
        self.assertEqual((end["frames"], sum(end["dropped"].values()), end["decode_errors"]), (watched, dropped, errors))
        self.assertEqual(len(records(self.out, "frame")), watched)

    def assertFollowsTheSchema(self):
        checker = pathlib.Path(__file__).resolve().parents[1] / "validate_jsonl.py"
        done = subprocess.run([sys.executable, checker, self.out], stderr=subprocess.PIPE, text=True)
        self.assertIn(done.returncode, (0, 77), done.stderr)

    # --- files

    def test_a_file_gives_what_analyze_gives_at_its_pace_and_over_again(self):
        begun = time.monotonic()
        said = self.run_live(self.clip, "--realtime", "--drop", "block", "--loop", "2", "-o", self.out).stderr
        self.assertGreater(time.monotonic() - begun, 7.8)
        whole = seen(self.whole)
        self.assertEqual(seen(self.out)[:len(whole)], whole)
        breaks = records(self.out, "discontinuity")
        self.assertEqual([(one["reason"], one["frame"], one["gap_s"]) for one in breaks], [("loop", 100, 0)])
        # No event at the joint: within a second of it only what the cut of the second round, 50 frames on, cannot explain.
        self.assertEqual([one for one in records(self.out, "event") if 90 <= one["frame"] <= 125], [])
        frames = records(self.out, "frame")
        self.assertEqual([one["frame"] for one in frames], list(range(200)))
        self.assertEqual({b["pts"] - a["pts"] for a, b in zip(frames, frames[1:])}, {3600})
        self.assertBalanced(said)
        self.assertFollowsTheSchema()

    def test_through_standard_input(self):
        with open(self.clip, "rb") as clip:
            self.run_live("-", "--drop", "block", "-o", self.out, stdin=clip)
        self.assertEqual(seen(self.out), seen(self.whole))

    def test_what_is_too_fast_is_dropped_and_counted(self):
        for policy, reason in (("oldest", "queue_full"), ("adaptive", "thinned")):
            said = self.run_live(self.clip, "--drop", policy, "--queue", "2", "--threads", "1", "-o", self.out).stderr
            self.assertBalanced(said)
            end = records(self.out, "end")[0]
            self.assertEqual(set(end["dropped"]), {reason})
            self.assertEqual(end["frames"] + end["dropped"][reason], 100)
            pts = [one["pts"] for one in records(self.out, "frame")]
            self.assertEqual(pts, sorted(set(pts)))

    def test_an_earlier_result_is_put_aside(self):
        for _ in range(3):
            self.run_live(self.clip, "--drop", "block", "-o", self.out)
        kept = sorted(os.listdir(self.folder))
        self.assertEqual(len(kept), 3)
        for name in kept:
            self.assertEqual(len(records(os.path.join(self.folder, name), "frame")), 100)
            self.assertTrue(re.fullmatch(r"live(-\d{8}T\d{6}\.\d{3}Z(-\d+)?)?\.jsonl", name), name)

    # --- cameras

    def test_a_camera_that_is_unplugged_is_found_again(self):
        library = os.environ.get("LONGTAKE_FAKE_CAMERA")
        camera = os.path.join(self.folder, "video0")
        try:
            os.mknod(camera, stat.S_IFCHR | 0o600, os.makedev(81, 0))
        except PermissionError as error:
            self.skipTest(f"no device can be made: {error}")
        if not library or "san.so" in subprocess.run(["ldd", PROGRAM], capture_output=True, text=True).stdout:
            self.skipTest("no camera")

        def now(what, so):
            pathlib.Path(f"{camera}.{what}").touch() if so else os.remove(f"{camera}.{what}")

        live = self.start_live(camera, "--drop", "block", "--stalled-after", "1",
                               env={**os.environ, "LD_PRELOAD": library, "FAKE_CAMERA": camera})
        self.until(lambda: len(records(self.out, "frame")) > 30, "frames")
        now("silent", True)
        self.until(lambda: "stalled" in [one["state"] for one in records(self.out, "stats")], "the stall", 10)
        now("silent", False)
        self.until(lambda: self.last_stats()["state"] == "streaming", "its end", 10)
        now("gone", True)
        self.until(lambda: self.last_stats()["state"] == "backing_off", "the loss", 10)
        self.assertIn("No such device", self.last_stats()["why"])
        frames = len(records(self.out, "frame"))
        now("gone", False)
        self.until(lambda: len(records(self.out, "frame")) > frames + 30, "frames of the camera that was plugged in again")
        self.assertBalanced(self.end(live))
        self.assertEqual([one["reason"] for one in records(self.out, "discontinuity")][-1], "reconnect")
        self.assertEqual((records(self.out, "header")[0]["width"], records(self.out, "event")), (320, []))
        self.assertEqual(records(self.out, "frame")[0]["pts"], 0)
        self.assertFollowsTheSchema()

    # --- streams

    def test_a_publisher_that_is_killed_is_found_again(self):
        port = free_port()
        uri = f"tcp://127.0.0.1:{port}"
        live = self.start_live(uri, "--drop", "block")
        rounds = 4
        for number in range(rounds):
            publisher = self.publish(uri + "?listen=1")
            frames = len(records(self.out, "frame"))
            self.until(lambda: len(records(self.out, "frame")) > frames + 30, f"frames of publisher {number + 1}")
            publisher.kill()
            publisher.wait()
            self.until(lambda: self.last_stats().get("state") in ("backing_off", "connecting"), "the loss")
        said = self.end(live)
        breaks = records(self.out, "discontinuity")
        self.assertEqual([one["reason"] for one in breaks], ["reconnect"] * (rounds - 1))
        frames = {one["frame"]: one for one in records(self.out, "frame")}
        for one in breaks:
            self.assertEqual(frames[one["frame"]]["pts"], one["pts"])
            gap_s = (one["pts"] - frames[one["frame"] - 1]["pts"]) / 90000
            self.assertAlmostEqual(gap_s, one["gap_s"], delta=0.001)
            near = [event for event in records(self.out, "event") if abs(event["frame"] - one["frame"]) <= 12]
            self.assertEqual(near, [], "a reconnect is no event")
        self.assertBalanced(said)
        self.assertEqual(records(self.out, "end")[0]["reason"], "stopped")
        self.assertFollowsTheSchema()

    def test_a_publisher_that_stalls_without_closing_is_noticed(self):
        port = free_port()
        uri = f"tcp://127.0.0.1:{port}"
        publisher = self.publish(uri + "?listen=1")
        live = self.start_live(uri, "--stalled-after", "1")
        self.until(lambda: len(records(self.out, "frame")) > 30, "frames")
        publisher.send_signal(signal.SIGSTOP)
        self.until(lambda: "stalled" in [one["state"] for one in records(self.out, "stats")], "the stall", 10)
        self.until(lambda: "backing_off" in [one["state"] for one in records(self.out, "stats")], "the end of patience", 10)
        publisher.kill()
        publisher.wait()
        frames = len(records(self.out, "frame"))
        self.publish(uri + "?listen=1")
        self.until(lambda: len(records(self.out, "frame")) > frames + 30, "frames of the next one")
        self.assertBalanced(self.end(live, signal.SIGINT, 130))
        self.assertEqual([one["reason"] for one in records(self.out, "discontinuity")], ["reconnect"])

    def test_a_stream_gives_what_its_file_gives(self):
        port = free_port()
        uri = f"tcp://127.0.0.1:{port}"
        publisher = subprocess.Popen(["ffmpeg", "-v", "error", "-re", "-i", self.clip, "-c", "copy", "-f", "mpegts",
                                      uri + "?listen=1"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.running.append(publisher)
        time.sleep(0.5)  # it listens only once
        self.run_live(uri, "--drop", "block", "--max-retries", "0", "-o", self.out, code=7)
        self.assertEqual(seen(self.out), seen(self.whole))
        self.assertEqual(records(self.out, "error")[0]["message"], "the stream ended")

    def serve(self):
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=self.folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def test_a_play_list_from_the_net_is_played_but_reads_no_local_file(self):
        address = self.serve()
        subprocess.run(["ffmpeg", "-v", "error", "-i", self.clip, "-c", "copy", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0",
                        os.path.join(self.folder, "film.m3u8")], check=True)
        self.run_live(address + "/film.m3u8", "--drop", "block", "-o", self.out)
        self.assertEqual(seen(self.out), seen(self.whole))
        os.remove(self.out)
        for number, local in enumerate([f"file://{self.clip}", f"concat:{self.clip}", f"crypto:file:{self.clip}"]):
            with open(os.path.join(self.folder, f"evil{number}.m3u8"), "w", encoding="utf-8") as file:
                file.write(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{local}\n#EXT-X-ENDLIST\n")
            self.run_live(f"{address}/evil{number}.m3u8", "--max-retries", "0", "-o", self.out, code=7)
            self.assertEqual(records(self.out, "frame"), [], local)
        # Over HTTP FFmpeg itself says no.
        for number in range(3):
            with socket.create_server(("127.0.0.1", 0)) as server:
                def send(number=number):
                    with server.accept()[0] as peer:
                        peer.sendall(pathlib.Path(self.folder, f"evil{number}.m3u8").read_bytes())
                sender = threading.Thread(target=send, daemon=True)
                sender.start()
                port = server.getsockname()[1]
                self.run_live(f"tcp://127.0.0.1:{port}", "--max-retries", "0", "-o", self.out, code=7)
                sender.join()
            self.assertEqual(records(self.out, "frame"), [], number)

    # --- for those who look on

    def ask(self, address, path, **headers):
        try:
            with urllib.request.urlopen(urllib.request.Request(address + path, headers=headers), timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def test_metrics_add_up_and_health_turns_red(self):
        uri = f"tcp://viewer:secret@127.0.0.1:{free_port()}"
        publisher = self.publish(uri.replace("viewer:secret@", "") + "?listen=1")
        port = free_port()
        live = self.start_live(uri, "--metrics", str(port))
        self.until(lambda: len(records(self.out, "frame")) > 60, "frames")
        address = f"http://127.0.0.1:{port}"
        self.assertEqual(self.ask(address, "/healthz"), (200, "streaming\n"))
        status, text = self.ask(address, "/metrics")
        self.assertEqual(status, 200)
        self.assertNotIn("secret", text)
        if shutil.which("promtool"):
            checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
            self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
        value = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                name, labels, number = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line).groups()
                value.setdefault(name, {})[labels.partition(",")[2]] = float(number)
        total = {name: sum(of.values()) for name, of in value.items()}
        self.assertEqual(total["longtake_frames_received_total"],
                         total["longtake_frames_processed_total"] + total["longtake_frames_dropped_total"] +
                         total["longtake_decode_errors_total"] + total["longtake_frames_under_way"])
        self.assertEqual(value["longtake_source_state"]['state="streaming"'], 1)
        self.assertEqual(total["longtake_source_state"], 1)
        latency = value["longtake_latency_seconds"]
        self.assertLessEqual(latency['stage="whole",quantile="0.5"'], latency['stage="whole",quantile="0.99"'])
        # Nobody else, and nothing else.
        self.assertEqual(self.ask(address, "/metrics", Origin="http://example.org")[0], 403)
        self.assertEqual(self.ask(address, "/metrics", Host="example.org")[0], 403)
        self.assertEqual(self.ask(address, "/metrics", Host=f"localhost:{port}")[0], 200)
        self.assertEqual(self.ask(address, "/live.jsonl")[0], 404)
        publisher.kill()
        self.until(lambda: self.ask(address, "/healthz")[0] == 503, "bad health")
        said = self.end(live)
        self.assertNotIn("secret", said + pathlib.Path(self.out).read_text())
        self.assertBalanced(said)

    def test_metrics_where_none_can_be(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.assertIn("--metrics", self.run_live(self.clip, "--metrics", str(taken.getsockname()[1]), code=2).stderr)
        self.assertIn("--metrics", self.run_live(self.clip, "--metrics", "localhost:http", code=2).stderr)

    # --- what cannot be

    def test_what_cannot_be_opened(self):
        self.assertIn("no such", self.run_live("/no/such/video.mp4", code=4).stderr.lower())
        begun = time.monotonic()
        said = self.run_live(f"tcp://user:secret@127.0.0.1:{free_port()}/", "--max-retries", "1", code=7).stderr
        self.assertNotIn("secret", said)
        self.assertLess(time.monotonic() - begun, 30)
        self.assertIn("live has no --checkpoint", self.run_live(self.clip, "--checkpoint", "x", code=2).stderr)

    def test_it_ends_after_so_long_and_is_stopped_while_it_waits(self):
        begun = time.monotonic()
        self.run_live(f"tcp://127.0.0.1:{free_port()}", "--run-for", "1.5")
        self.assertLess(time.monotonic() - begun, 15)
        live = self.start_live(f"tcp://127.0.0.1:{free_port()}")
        time.sleep(1)
        begun = time.monotonic()
        self.end(live)
        self.assertLess(time.monotonic() - begun, 5)

    # --- memory

    def test_what_was_learned_survives_a_kill(self):
        memory = os.path.join(self.folder, "door.ltm")
        keeps = ("--memory", memory, "--save-memory", memory, "--checkpoint-every", "0.5")
        live = self.start_live(self.clip, "--realtime", "--loop", "0", *keeps)
        self.until(lambda: os.path.exists(memory) and len(records(self.out, "frame")) > 110, "a snapshot")
        self.end(live, signal.SIGKILL, -signal.SIGKILL)
        self.assertEqual(subprocess.run([PROGRAM, "memory", "verify", memory], capture_output=True).returncode, 0)
        first = records(self.out, "frame")
        self.run_live(self.clip, "--drop", "block", *keeps, "-o", self.out)
        again = records(self.out, "frame")
        novelty = [sum(one["novelty"] for one in frames[:5]) for frames in (first, again)]
        self.assertLess(novelty[1], novelty[0] / 2, "what it has seen is not new to it")
        self.assertIsNotNone(again[1]["surprise"], "its statistics are warm")


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
