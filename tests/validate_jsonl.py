#!/usr/bin/env python3
"""Checks results against assets/longtake.schema.json and against what a schema cannot say.

    tests/validate_jsonl.py [--partial] RESULT.jsonl...      ("-": standard input)

Each line must match the schema of its type, have its keys in the schema's order, and be the very bytes that writing
its values again gives. Over the lines: one header first, one end last (--partial: the end may be missing, as after a
kill), frames, segments and pts in order, seconds that are their pts, counts that agree, only kinds of events that
Longtake finds unless the header says that a person edited them. Every fault is told with its line on stderr, the first
few of each file.
Exit status: 0 all well, 1 faults, 2 usage, 77 the Python package jsonschema is missing.
"""
import argparse
import json
import pathlib
import sys
from fractions import Fraction

try:
    import jsonschema
except ImportError:
    print("skipped: the Python package jsonschema is missing (Debian: python3-jsonschema)", file=sys.stderr)
    sys.exit(77)

SCHEMA = pathlib.Path(__file__).resolve().parent.parent / "assets" / "longtake.schema.json"
MOST_FAULTS = 20


class LineRules:
    """What a line has to be, whatever stands before it."""

    def __init__(self, schema):
        jsonschema.Draft202012Validator.check_schema(schema)
        self.properties = {}
        self.validators = {}
        # One validator a type: its complaints name the key, where those of the whole only say that nothing matched.
        self.found_kinds = schema["$defs"]["found_kind"]["enum"]
        for branch in schema["oneOf"]:
            name = branch["$ref"].removeprefix("#/$defs/")
            self.properties[name] = list(schema["$defs"][name]["properties"])
            self.validators[name] = jsonschema.Draft202012Validator({**branch, "$defs": schema["$defs"]})

    def parse(self, line):
        record = json.loads(line, object_pairs_hook=self._object, parse_constant=self._refuse_constant)
        if not isinstance(record, dict) or record.get("type") not in self.validators:
            raise ValueError(f"not an object whose type is one of {', '.join(self.validators)}")
        return record

    def faults(self, line, record):
        for error in self.validators[record["type"]].iter_errors(record):
            yield f"{'/'.join(map(str, error.absolute_path)) or record['type']}: {error.message}"
        order = self.properties[record["type"]]
        keys = [key for key in record if key in order]
        if keys != sorted(keys, key=order.index):
            yield f"keys stand in the order {', '.join(keys)}"
        if json.dumps(record, separators=(",", ":"), ensure_ascii=False) != line:
            yield "not the shortest form of its values"

    @staticmethod
    def _object(members):
        if len({key for key, _ in members}) != len(members):
            raise ValueError("a key stands there twice")
        return dict(members)

    @staticmethod
    def _refuse_constant(name):
        raise ValueError(f"{name} is not JSON")


class StreamRules:
    """What the lines have to be together. Needs records that match the schema, in order."""

    def __init__(self, found_kinds):
        self.found_kinds = found_kinds
        self.header = None
        self.end = None
        self.last_frame = None
        self.last_segment = None
        self.frames = 0
        self.events = 0

    def faults(self, record):
        kind = record["type"]
        if self.header is None and kind != "header":
            yield "the header is missing"
        if self.end is not None:
            yield "something follows the end"
        yield from getattr(self, "_" + kind, lambda _: ())(record)

    def faults_at_end(self, partial):
        if self.header is None:
            yield "the header is missing"
        if self.end is None and not partial:
            yield "the end is missing"

    def _header(self, record):
        if self.header is not None:
            yield "a second header"
        self.header = record

    def _frame(self, record):
        self.frames += 1
        if self.last_frame:
            for key in ("frame", "pts"):
                if record[key] <= self.last_frame[key]:
                    yield f"{key} {record[key]} comes after {key} {self.last_frame[key]}"
        if self.header and len(record["layers"]) != self.header["layers"]:
            yield f"{len(record['layers'])} layers, but the header says {self.header['layers']}"
        yield from self._time(record["pts"], record["t"])
        self.last_frame = record

    def _event(self, record):
        self.events += 1
        if record["kind"] not in self.found_kinds and not (self.header and self.header["options"].get("edited")):
            yield f"nothing of the kind {record['kind']} is ever found, and nobody edited this"
        if not record["span"][0] <= record["frame"] <= record["span"][1]:
            yield f"frame {record['frame']} lies outside its span {record['span']}"
        yield from self._time(record["pts"], record["t"])

    def _segment(self, record):
        if record["first"] > record["last"]:
            yield f"a segment from {record['first']} to {record['last']}"
        if self.last_segment and record["first"] <= self.last_segment["last"]:
            yield f"a segment from {record['first']} comes after one to {self.last_segment['last']}"
        for pts, t in zip(record["pts"], record["t"]):
            yield from self._time(pts, t)
        self.last_segment = record

    def _end(self, record):
        for key, counted in (("frames", self.frames), ("events", self.events)):
            if record[key] != counted:
                yield f"{key} is {record[key]}, but {counted} stand here"
        self.end = record

    def _time(self, pts, t):
        if not self.header:
            return
        micros = int(pts * Fraction(*self.header["time_base"]) * 10**6)  # int() cuts off toward zero
        if t != float(Fraction(micros, 10**6)):
            yield f"t is {t}, but pts {pts} is {float(Fraction(micros, 10**6))} s"


def faults_of(text, line_rules, partial=False):
    """Yields (line number, fault) of a whole result, given as bytes."""
    stream_rules = StreamRules(line_rules.found_kinds)
    lines = text.split(b"\n")
    if lines.pop():
        yield len(lines) + 1, "the last line has no line break"
    for number, raw in enumerate(lines, 1):
        try:
            line = raw.decode("utf-8")
            record = line_rules.parse(line)
        except ValueError as error:  # of JSON or of UTF-8
            yield number, str(error)
            continue
        faults = list(line_rules.faults(line, record)) or stream_rules.faults(record)
        yield from ((number, fault) for fault in faults)
    yield from ((len(lines), fault) for fault in stream_rules.faults_at_end(partial))


def main():
    parser = argparse.ArgumentParser(description="Checks results against the JSON Schema and the rules beside it.")
    parser.add_argument("--partial", action="store_true", help="the end may be missing, as after a kill")
    parser.add_argument("result", nargs="+", help='a result, or "-" for standard input')
    options = parser.parse_args()
    line_rules = LineRules(json.loads(SCHEMA.read_text(encoding="utf-8")))
    failed = False
    for name in options.result:
        try:
            text = sys.stdin.buffer.read() if name == "-" else pathlib.Path(name).read_bytes()
        except OSError as error:
            parser.error(f'cannot read "{name}": {error.strerror}')
        for count, (number, fault) in enumerate(faults_of(text, line_rules, options.partial)):
            failed = True
            if count == MOST_FAULTS:
                print(f"{name}: and more", file=sys.stderr)
                break
            print(f"{name}:{number}: {fault}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
