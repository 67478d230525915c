"""One peer as a contestant: loads a model, runs when it is told to, and says how long it took.

    python tests/bench/peer.py onnxruntime model.onnx input.f32 1,3,224,224 output.f32 THREADS

In:  the model, its input's bytes and shape; on stdin a byte for each run that is wanted.
Out: as runner.c: OUTPUT, the line "FIRST-NS BEFORE-KB PEAK-KB", then nanoseconds, a line a run.

FIRST begins before the session is created and ends with the first output; imports come before it, and
BEFORE-KB is the memory they took.  float32 everywhere.
"""

import os
import sys
import time

import numpy as np


def onnxruntime(path, x, threads):
    import onnxruntime as ort

    def load():
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        feed = {session.get_inputs()[0].name: x}
        return lambda: session.run(None, feed)[0]
    return load


def openvino(path, x, threads):
    import openvino as ov

    def load():
        core = ov.Core()
        compiled = core.compile_model(core.read_model(path), "CPU", {
            "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY"})
        request, tensor = compiled.create_infer_request(), ov.Tensor(x)

        def run():
            request.infer([tensor])
            return request.get_output_tensor(0).data
        return run
    return load


def ncnn(path, x, threads):
    """path: model.onnx, beside which pnnx wrote model.ncnn.param and .bin."""
    import ncnn as nn

    def load():
        net = nn.Net()
        net.opt.num_threads = threads
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_storage = False
        stem = path[:-len(".onnx")]
        if net.load_param(stem + ".ncnn.param") or net.load_model(stem + ".ncnn.bin"):
            raise RuntimeError("ncnn does not load what pnnx wrote")
        mat = nn.Mat(x[0])

        def run():
            with net.create_extractor() as e:
                e.input("in0", mat)
                code, y = e.extract("out0")
                if code:
                    raise RuntimeError(f"ncnn ends with code {code}")
                return np.array(y)[None]
        return run
    return load


def torch_compile(path, x, threads):
    """path: model.onnx, beside which bench.py left model.pt2, the exported PyTorch program."""
    import torch
    torch.set_num_threads(threads)

    def load():
        model = torch.compile(torch.export.load(path[:-len(".onnx")] + ".pt2").module())
        given = torch.from_numpy(x)

        def run():
            with torch.inference_mode():
                return model(given).numpy()
        return run
    return load


PEERS = {"onnxruntime": onnxruntime, "openvino": openvino, "ncnn": ncnn, "torch.compile": torch_compile}


def peak_kb():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


def main():
    name, path, given, shape, output, threads = sys.argv[1:]
    x = np.fromfile(given, np.float32).reshape([int(n) for n in shape.split(",")])
    # a library that prints must not be taken for an answer
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    load = PEERS[name](path, x, int(threads))
    before, start = peak_kb(), time.perf_counter_ns()
    run = load()
    y = run()
    first = time.perf_counter_ns() - start
    peak = peak_kb()
    np.ascontiguousarray(y, np.float32).tofile(output)
    answers.write(f"{first} {before} {peak}\n")
    while os.read(0, 1):
        start = time.perf_counter_ns()
        run()
        answers.write(f"{time.perf_counter_ns() - start}\n")


if __name__ == "__main__":
    main()
