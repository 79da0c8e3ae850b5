#!/usr/bin/env python3
"""Is tests/validate_jsonl.py worth its word? It must pass the sample result and refuse each way of spoiling it.

    validate_jsonl_test.py SAMPLE.jsonl      (as write_sample_records makes it)
"""
import json
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
import validate_jsonl  # noqa: E402  (exits with 77 where jsonschema is missing)

SAMPLE = b""


def swap(old, new):
    return lambda text: text.replace(old, new, 1)


def without_line(kind):
    start = b'{"type":"' + kind
    return lambda text: b"".join(line for line in text.splitlines(True) if not line.startswith(start))


class ValidateJsonl(unittest.TestCase):
    def faults(self, text, partial=False):
        rules = validate_jsonl.LineRules(json.loads(validate_jsonl.SCHEMA.read_text(encoding="utf-8")))
        return [fault for _, fault in validate_jsonl.faults_of(text, rules, partial)]

    def test_passes_the_sample(self):
        self.assertEqual(self.faults(SAMPLE), [])

    def test_allows_a_missing_end_only_where_told(self):
        cut = without_line(b"end")(SAMPLE)
        self.assertEqual(self.faults(cut), ["the end is missing"])
        self.assertEqual(self.faults(cut, partial=True), [])

    def test_passes_the_optional_keys_of_other_switches(self):
        more = swap(b'"boundary":0.01', b'"novelty_map":[' + b",".join([b"0.5"] * 16) + b'],"familiarity":0.5,"boundary":0.01')
        self.assertEqual(self.faults(more(SAMPLE)), [])

    def test_passes_any_kind_where_a_person_edited(self):
        named = swap(b'"kind":"boundary"', b'"kind":"goal"')(SAMPLE)
        self.assertNotEqual(self.faults(named), [])
        self.assertEqual(self.faults(swap(b'"options":{', b'"options":{"edited":true,')(named)), [])

    def test_refuses_every_way_of_spoiling_it(self):
        cases = [
            ("unknown key", swap(b'"guards":0', b'"guards":0,"speed":3')),
            ("missing key", swap(b',"trained":true', b"")),
            ("wrong type", swap(b'"width":720', b'"width":"720"')),
            ("unknown type", swap(b'"type":"error"', b'"type":"erorr"')),
            ("no object", lambda text: text + b"[]\n"),
            ("not JSON", swap(b'"frame":0', b'"frame":')),
            ("NaN", swap(b'"surprise":0.41', b'"surprise":NaN')),
            ("not UTF-8", swap(b"clip.mp4", b"clip\xff.mp4")),
            ("unknown kind", swap(b'"kind":"boundary"', b'"kind":"bang"')),
            ("probability above 1", swap(b'"confidence":0.97', b'"confidence":1.97')),
            ("loss below 0", swap(b'"before":1.93', b'"before":-1.93')),
            ("score without a name", swap(b'["walk",0.88]', b'[0.88]')),
            ("key twice", swap(b'"guards":0', b'"guards":0,"guards":0')),
            ("order of keys", swap(b'"frame":0,"pts":0', b'"pts":0,"frame":0')),
            ("space", swap(b'"frame":0,', b'"frame":0, ')),
            ("longer number", swap(b"0.41", b"0.410")),
            ("carriage return", swap(b"}\n", b"}\r\n")),
            ("no last line break", lambda text: text[:-1]),
            ("no header", without_line(b"header")),
            ("two headers", lambda text: text.splitlines(True)[0] + text),
            ("after the end", lambda text: text + text.splitlines(True)[2]),
            ("empty", lambda text: b""),
            ("order of frames", swap(b'"frame":1,', b'"frame":0,')),
            ("order of pts", swap(b'"pts":3600,"t":0.04', b'"pts":0,"t":0.0')),
            ("seconds", swap(b'"t":0.04', b'"t":0.040001')),
            ("seconds of an event", swap(b'"t":3.0,"score"', b'"t":3.1,"score"')),
            ("seconds of a segment", swap(b'"t":[0.0,2.96]', b'"t":[0.0,2.97]')),
            ("layers", swap(b'"layers":2', b'"layers":3')),
            ("span", swap(b'"span":[74,76]', b'"span":[76,77]')),
            ("segment backwards", swap(b'"first":75,"last":80', b'"first":81,"last":80')),
            ("segments overlap", swap(b'"first":75', b'"first":74')),
            ("frames in the end", swap(b'"frames":3', b'"frames":4')),
            ("events in the end", swap(b'"events":1', b'"events":2')),
        ]
        for name, spoil in cases:
            with self.subTest(name):
                spoiled = spoil(SAMPLE)
                self.assertNotEqual(spoiled, SAMPLE, "the case changes nothing")
                self.assertNotEqual(self.faults(spoiled), [])


if __name__ == "__main__":
    SAMPLE = pathlib.Path(sys.argv.pop()).read_bytes()
    unittest.main()
