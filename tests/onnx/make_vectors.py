"""make_vectors.py OUT: writes the backend tests of the installed onnx package as folders for run_vectors.

In:  the onnx Python package (its tests are Python code, the wheel holds no files).
Out: OUT/node/NAME/model.onnx and OUT/node/NAME/test_data_set_0/{input,output}_N.pb
"""
import os
import sys

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases


def proto(value, info):
    """A tensor, sequence or optional as the protobuf that the test format wants."""
    kind = info.type.WhichOneof("value")
    if isinstance(value, onnx.TensorProto):
        return value
    if kind == "sequence_type":
        return numpy_helper.from_list(value, info.name)
    if kind == "optional_type":
        return numpy_helper.from_optional(value, info.name)
    return numpy_helper.from_array(np.asarray(value), info.name)


def main(out):
    count = 0
    for case in collect_testcases(None):
        folder = os.path.join(out, case.kind, case.name)
        os.makedirs(os.path.join(folder, "test_data_set_0"), exist_ok=True)
        with open(os.path.join(folder, "model.onnx"), "wb") as f:
            f.write(case.model.SerializeToString())
        inputs, outputs = case.data_sets[0]
        graph = case.model.graph
        for prefix, values, infos in (("input", inputs, graph.input), ("output", outputs, graph.output)):
            for i, value in enumerate(values):
                path = os.path.join(folder, "test_data_set_0", f"{prefix}_{i}.pb")
                with open(path, "wb") as f:
                    f.write(proto(value, infos[i]).SerializeToString())
        count += 1
    print(f"{count} tests written below {out}, onnx {onnx.__version__}")


if __name__ == "__main__":
    main(sys.argv[1])
