"""Floating-point operations of a model by its definition: two for each multiply-add of Conv, Gemm, MatMul.

Other operators count nothing, and a faster algorithm (Winograd) does not lower the count, so shares of
the machine's peak compare like with like and may exceed 1.
"""

import numpy as np
import onnx


def count(path):
    model = onnx.shape_inference.infer_shapes(onnx.load(path), data_prop=True)
    shape = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
             for v in [*model.graph.value_info, *model.graph.input, *model.graph.output]}
    shape.update({t.name: list(t.dims) for t in model.graph.initializer})
    total = 0
    for node in model.graph.node:
        if node.op_type not in ("Conv", "Gemm", "MatMul"):
            continue
        a, b, y = (shape.get(n) for n in (node.input[0], node.input[1], node.output[0]))
        if not a or not b or not y or 0 in a + b + y:
            raise ValueError(f"{path}: the shapes of {node.name} are not known")
        if node.op_type == "Conv":
            inner = np.prod(b[1:])                     # channels of a group x kernel
        elif node.op_type == "MatMul":
            inner = a[-1]
        else:
            swapped = any(x.name == "transA" and x.i for x in node.attribute)
            inner = a[0] if swapped else a[1]
        total += 2 * int(np.prod(y)) * int(inner)
    return total
