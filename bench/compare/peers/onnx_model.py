"""ONNX Runtime: the net as Gemm and Relu nodes."""

import numpy as np
import onnxruntime
from cases import Case, data, weights
from onnx import TensorProto, helper, numpy_helper


def model(case: Case) -> bytes:
    """Return the serialised graph, its number of rows fixed."""
    nodes, arrays, name = [], [], "x"
    for at, (w, b) in enumerate(weights(case)):
        arrays += [numpy_helper.from_array(w, f"w{at}"), numpy_helper.from_array(b, f"b{at}")]
        nodes.append(helper.make_node("Gemm", [name, f"w{at}", f"b{at}"], [f"z{at}"]))
        name = f"z{at}"
        if at + 2 < len(case.widths):
            nodes.append(helper.make_node("Relu", [name], [f"a{at}"]))
            name = f"a{at}"
    ends = [
        helper.make_tensor_value_info(end, TensorProto.FLOAT, [case.rows, width])
        for end, width in (("x", case.widths[0]), (name, case.widths[-1]))
    ]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], arrays)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


class Predict:
    """run: an array in, a new array out."""

    def __init__(self, case: Case, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        cpu = ["CPUExecutionProvider"]
        self.session = onnxruntime.InferenceSession(model(case), options, providers=cpu)
        self.x = data(case)[0]
        self.names = [self.session.get_outputs()[0].name]

    def run(self, calls: int) -> np.ndarray:
        feed = {"x": self.x}
        for _ in range(calls):
            out = self.session.run(self.names, feed)
        return out[0]


class Bound(Predict):
    """Input and output bound once for all calls: the same memory each time, nothing converted."""

    def __init__(self, case: Case, threads: int) -> None:
        super().__init__(case, threads)
        arrays = self.x, np.empty((case.rows, case.widths[-1]), np.float32)
        self.bound = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in arrays]
        self.binding = self.session.io_binding()
        self.binding.bind_ortvalue_input("x", self.bound[0])
        self.binding.bind_ortvalue_output(self.names[0], self.bound[1])

    def run(self, calls: int) -> np.ndarray:
        for _ in range(calls):
            self.session.run_with_iobinding(self.binding)
        return self.bound[1].numpy()
