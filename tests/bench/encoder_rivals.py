#!/usr/bin/env python3
"""Times the encoder against ONNX Runtime and OpenVINO: one thread, one frame a call, fp32, same weights, same run.

The same net is built as an ONNX graph from encoder.safetensors, normalisations folded in, so that each rival gets it in
the form it likes best: planar float input, already scaled. Ours starts from the bytes of the picture. The contenders
take turns, a few calls each; the first calls of a turn are not counted, because they find the caches full of the others.
The CPU times are what remains comparable on a machine that has other work to do.

    python3 -m venv /tmp/rivals && /tmp/rivals/bin/pip install numpy onnx onnxruntime openvino
    /tmp/rivals/bin/python tests/bench/encoder_rivals.py --bench build/release/encoder_bench
"""

import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

# Matrix libraries read these when they are loaded.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SIDE = 224
# Kernel size, stride and number of the inverted residual blocks of each stage, in order.
STAGES = [(3, 1, 1), (3, 2, 2), (5, 2, 2), (3, 2, 3), (5, 1, 3), (5, 2, 4), (3, 1, 1)]


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    body = memoryview(data)[8 + length :]
    return {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
        for name, entry in header.items()
    }


def picture():
    """A fixed picture with edges, gradients and noise: the same formula as in the other tests of the encoder."""
    y, x, c = np.meshgrid(np.arange(SIDE), np.arange(SIDE), np.arange(3), indexing="ij")
    value = (x * (c + 2) + y * (5 - c)) // 4 + ((x // 28 + y // 28) % 2) * 60 + (x * x + 3 * y * y + 7 * c) % 31
    return (value % 256).astype(np.uint8)


def onnx_model(weights, probabilities):
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    low, high = constant("zero", np.float32(0)), constant("six", np.float32(6))

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def conv(x, weight, norm, stride, relu6):
        """Convolution and the normalisation after it, as one."""
        w = weights[f"{weight}.weight"].astype(np.float64)
        gamma, beta, mean, var = (
            weights[f"{norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(var + 1e-3)
        k, depthwise = w.shape[2], "depthwise" in weight
        before = k // 2 - (1 if stride == 2 else 0)
        folded = constant(f"{weight}.w", (w * scale[:, None, None, None]).astype(np.float32))
        bias = constant(f"{weight}.b", (beta - mean * scale).astype(np.float32))
        y = node("Conv", [x, folded, bias], f"{weight}.conv", kernel_shape=[k, k], strides=[stride, stride],
                 pads=[before, before, k // 2, k // 2], group=w.shape[0] if depthwise else 1)
        return node("Clip", [y, low, high], f"{weight}.relu6") if relu6 else y

    x = conv("input", "_conv_stem", "_bn0", 2, True)
    index = 0
    for stage, (_, first_stride, count) in enumerate(STAGES):
        for position in range(count):
            block, start = f"_blocks.{index}.", x
            if stage > 0:
                x = conv(x, block + "_expand_conv", block + "_bn0", 1, True)
            x = conv(x, block + "_depthwise_conv", block + "_bn1", first_stride if position == 0 else 1, True)
            x = conv(x, block + "_project_conv", block + "_bn2", 1, False)
            if position > 0:
                x = node("Add", [x, start], block + "add")
            index += 1

    # Adaptive mean over 4x4 overlapping windows of 7x7, as a product with a fixed matrix.
    pool = np.zeros((49, 16), np.float32)
    for row in range(4):
        for column in range(4):
            rows = range(row * 7 // 4, -(-(row + 1) * 7 // 4))
            columns = range(column * 7 // 4, -(-(column + 1) * 7 // 4))
            for r in rows:
                for c in columns:
                    pool[r * 7 + c, row * 4 + column] = 1 / (len(rows) * len(columns))
    flat = node("Reshape", [x, constant("flat", np.array([320, 49]))], "map")
    node("MatMul", [flat, constant("pool", pool)], "tokens")
    x = conv(x, "_conv_head", "_bn1", 1, True)
    x = node("GlobalAveragePool", [x], "mean")
    x = node("Reshape", [x, constant("row", np.array([1, 1280]))], "embedding")
    outputs = [helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [320, 16]),
               helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 1280])]
    if probabilities:
        fc = [x, constant("fc.w", weights["_fc.weight"].T), constant("fc.b", weights["_fc.bias"])]
        node("Softmax", [node("Gemm", fc, "logits")], "probabilities", axis=1)
        outputs.append(helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 1000]))
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, SIDE, SIDE])]
    graph = helper.make_graph(nodes, "encoder", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return model.SerializeToString()


def onnxruntime_contender(model, planar):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return f"ONNX Runtime {onnxruntime.__version__}", in_process(lambda: session.run(None, {"input": planar}))


def openvino_contender(model, planar):
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(core.read_model(model, b""), "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(planar, shared_memory=True))

    def call():
        request.infer()
        return [request.get_output_tensor(i).data for i in range(len(request.results))]

    return f"OpenVINO {openvino.__version__.split('-')[0]}", in_process(call)


def in_process(call):
    """Gives ((clock ns, CPU ns), result). CPU time is that of the process: the work may be done by a thread of its own."""

    def timed():
        cpu, start = time.process_time_ns(), time.perf_counter_ns()
        result = call()
        return (time.perf_counter_ns() - start, time.process_time_ns() - cpu), result

    return timed


def bench_contender(program, arguments):
    """Ours: a program that encodes once for every line it is given and answers with both times."""
    process = subprocess.Popen([program, "serve", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def timed():
        process.stdin.write("\n")
        process.stdin.flush()
        return tuple(map(int, process.stdout.readline().split())), None

    return timed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=ROOT / "assets/models/default/encoder.safetensors")
    parser.add_argument("--bench", type=Path, default=ROOT / "build/release/encoder_bench")
    parser.add_argument("--calls", type=int, default=300, help="timed calls of each contender (default: %(default)s)")
    parser.add_argument("--turn", type=int, default=10, help="timed calls in a row (default: %(default)s)")
    parser.add_argument("--probabilities", action="store_true", help="the class probabilities too")
    parser.add_argument("--plain", action="store_true", help="time our plain LibTorch form too")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    arguments = parser.parse_args()

    planar = ((picture().astype(np.float32) - 127) / 128).transpose(2, 0, 1)[None].copy()
    model = onnx_model(read_safetensors(arguments.weights), arguments.probabilities)
    contenders = dict([onnxruntime_contender(model, planar), openvino_contender(model, planar)])
    first, second = (call()[1] for call in contenders.values())
    for a, b in zip(first, second):
        if not np.allclose(a, b, rtol=1e-3, atol=1e-3):
            sys.exit("the rivals disagree with each other, so the graph is wrong")
    rivals = list(contenders)
    if arguments.bench.exists():
        flags = ["--weights", str(arguments.weights)] + ["--probabilities"] * arguments.probabilities
        contenders["Longtake"] = bench_contender(arguments.bench, flags)
        if arguments.plain:
            contenders["Longtake, plain LibTorch"] = bench_contender(arguments.bench, [*flags, "--plain"])

    times = {name: [] for name in contenders}
    for turn in range(-2, -(-arguments.calls // arguments.turn)):
        for name, call in contenders.items():
            block = [call()[0] for _ in range(arguments.turn + 3)][3:]
            if turn >= 0:
                times[name] += block
    rows = []
    for name, pairs in times.items():
        clock, cpu = ([ns / 1e6 for ns in column] for column in zip(*pairs))
        rows.append({"name": name, "calls": len(pairs), "min_ms": min(clock), "median_ms": statistics.median(clock),
                     "median_cpu_ms": statistics.median(cpu)})
    for key in ("min_ms", "median_ms", "median_cpu_ms"):
        best = min(row[key] for row in rows if row["name"] in rivals)
        for row in rows:
            row[key.removesuffix("_ms") + "_to_best_rival"] = row[key] / best
    if arguments.json:
        print(json.dumps({"schema": 1, "command": "encoder_rivals", "rows": rows}))
        return
    print(f"{'':26}{'calls':>6}{'min ms':>14}{'median ms':>16}{'median CPU ms':>18}   (ratio to the best rival)")
    for row in rows:
        cells = [f"{row[key + '_ms']:8.2f} ({row[key + '_to_best_rival']:.2f})" for key in ("min", "median", "median_cpu")]
        print(f"{row['name']:26}{row['calls']:6}{cells[0]:>14}{cells[1]:>16}{cells[2]:>18}")


if __name__ == "__main__":
    main()
