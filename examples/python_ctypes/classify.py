"""Classify a seeded random tensor: python3 classify.py librcmnet.so [tensor.npy to write]."""
import array
import math
import struct
import sys

from ampoule_model import Model

model = Model(sys.argv[1], "rcmnet")
io = model.inputs[0]
print(f"{io.name.decode()} {io.shape}, {len(model.labels)} classes")
seed, values = 7, []
for _ in range(io.bytes // 4):
    seed = (seed * 1664525 + 1013904223) % 2 ** 32
    values.append((seed >> 8) / 2 ** 23 - 1)
tensor = array.array("f", values)
logits, = model.run(tensor)
largest = max(logits)
total = sum(math.exp(v - largest) for v in logits)
for label, v in zip(model.labels, logits):
    print(f"{label:22} {math.exp(v - largest) / total:.4f}   logit {v:.9g}")

# a second thread's worth of calls: the same input gives the same bytes
assert model.run(tensor)[0] == logits
try:
    model.run(tensor[1:])
except ValueError as e:
    print("a tensor of the wrong size is refused:", e)
else:
    sys.exit("a tensor of the wrong size was accepted")

if len(sys.argv) > 2:
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {io.shape}, }}".ljust(117) + "\n"
    with open(sys.argv[2], "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + tensor.tobytes())
