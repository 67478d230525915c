"""A compiled model from Python, with the standard library alone.

    model = Model("out/librcmnet.so", "rcmnet")
    logits, = model.run(tensor)              # bytes, array.array, or a NumPy array, of the right size

The shared library holds `const struct amp_model NAME_model` (ampoule_rt.h): the model as data.  This file
mirrors that structure, allocates what it asks for, and calls prepare and run through it.
"""
import array
import ctypes as c

ALIGN = 64
CODES = {1: "f", 2: "B", 3: "b", 4: "H", 5: "h", 6: "i", 7: "q", 9: "B", 10: "H", 11: "d", 12: "I", 13: "Q", 16: "H"}


class Io(c.Structure):
    _fields_ = [("name", c.c_char_p), ("dtype", c.c_int), ("rank", c.c_int), ("dim", c.c_int64 * 8),
                ("bytes", c.c_int64)]

    @property
    def shape(self):
        return tuple(self.dim[:self.rank])


Pointers = c.POINTER(c.c_void_p)
Prepare = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_void_p, c.c_void_p, c.c_int)
Run = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, Pointers, Pointers)


class Description(c.Structure):
    """struct amp_model of ampoule_rt.h, field by field."""
    _fields_ = [("name", c.c_char_p), ("version", c.c_char_p), ("model_sha256", c.c_char_p),
                ("weights_sha256", c.c_char_p), ("n_in", c.c_int), ("n_out", c.c_int),
                ("inputs", c.POINTER(Io)), ("outputs", c.POINTER(Io)), ("no_contract", c.c_char_p),
                ("threads", c.c_int), ("arena_bytes", c.c_int64), ("prepared_bytes", c.c_int64),
                ("weights_bytes", c.c_int64), ("state_bytes", c.c_int64),
                ("weights", c.c_void_p), ("weights_file", c.c_char_p), ("n_isa", c.c_int),
                ("isa_names", c.POINTER(c.c_char_p)), ("best_isa", c.CFUNCTYPE(c.c_int)), ("prepare", Prepare),
                ("run", Run), ("n_steps", c.c_int), ("steps", c.c_void_p), ("watch", c.c_void_p),
                ("labels", c.POINTER(c.c_char_p)), ("n_labels", c.c_int), ("preprocess", c.c_void_p),
                ("ends_in_softmax", c.c_int), ("activation", c.c_int)]


class Block:
    """Memory whose address is a multiple of ALIGN."""

    def __init__(self, size):
        self.raw = c.create_string_buffer(size + ALIGN)
        start = c.addressof(self.raw)
        self.address = start + -start % ALIGN


class Model:
    def __init__(self, library, name):
        self.library = c.CDLL(library)
        self.d = Description.in_dll(self.library, name + "_model")
        self.inputs = [self.d.inputs[i] for i in range(self.d.n_in)]
        self.outputs = [self.d.outputs[i] for i in range(self.d.n_out)]
        self.labels = [self.d.labels[i].decode() for i in range(self.d.n_labels)] if self.d.labels else []
        self.state = Block(self.d.state_bytes)
        self.prepared = Block(self.d.prepared_bytes)
        self.arena = Block(self.d.arena_bytes)      # one for each thread that calls run
        self._check(self.d.prepare(self.state.address, self.d.weights, self.prepared.address, None, -1))

    @staticmethod
    def _check(status):
        if status:
            raise RuntimeError(f"the model failed with status {status}")

    def run(self, *tensors):
        """Row-major tensors in the order of self.inputs; returns an array.array for each output."""
        if len(tensors) != len(self.inputs):
            raise ValueError(f"{len(self.inputs)} inputs are wanted")
        given = []
        for io, t in zip(self.inputs, tensors):
            data = bytes(memoryview(t).cast("B"))
            if len(data) != io.bytes:
                raise ValueError(f"{io.name.decode()} {io.shape} has {io.bytes} bytes, not {len(data)}")
            block = Block(io.bytes)
            c.memmove(block.address, data, io.bytes)
            given.append(block)
        results = [Block(io.bytes) for io in self.outputs]
        ins = (c.c_void_p * len(given))(*[b.address for b in given])
        outs = (c.c_void_p * len(results))(*[b.address for b in results])
        self._check(self.d.run(self.state.address, self.arena.address, ins, outs))
        return [array.array(CODES[io.dtype], c.string_at(b.address, io.bytes))
                for io, b in zip(self.outputs, results)]
