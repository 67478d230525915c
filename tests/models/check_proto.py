"""Our schema of the ONNX file format against the newest onnx package's own.

    python tests/models/check_proto.py compiler/import/onnx.proto

In:  our text.  Out: every field, number, type, label and enumerator that differs; exit code 0 none.
How: protoc-c compiles ours to a descriptor set; theirs is what the Python package carries.  Ours may
know fewer messages and fields than theirs (each is listed), but nothing of ours may differ.
"""

import os
import subprocess
import sys
import tempfile

import onnx
from google.protobuf import descriptor_pb2


def flat(file):
    """{message.field: (number, type, label, type's name)}, {enum.value: number}"""
    fields, values = {}, {}

    def take_enum(prefix, enum):
        for v in enum.value:
            values[f"{prefix}{enum.name}.{v.name}"] = v.number

    def take(prefix, message):
        name = f"{prefix}{message.name}."
        for f in message.field:
            fields[name + f.name] = (f.number, f.type, f.label, f.type_name.rsplit(".", 1)[-1])
        for enum in message.enum_type:
            take_enum(name, enum)
        for inner in message.nested_type:
            take(name, inner)

    for message in file.message_type:
        take("", message)
    for enum in file.enum_type:
        take_enum("", enum)
    return fields, values


def main():
    source = sys.argv[1]
    with tempfile.TemporaryDirectory() as room:
        out = os.path.join(room, "set.pb")
        subprocess.run(["protoc-c", f"--proto_path={os.path.dirname(source)}", f"--descriptor_set_out={out}",
                        source], check=True)
        ours = descriptor_pb2.FileDescriptorSet()
        with open(out, "rb") as f:
            ours.ParseFromString(f.read())
    theirs = descriptor_pb2.FileDescriptorProto()
    onnx.onnx_ml_pb2.DESCRIPTOR.CopyToProto(theirs)
    bad = 0
    for mine, official, what in zip(flat(ours.file[0]), flat(theirs), ("field", "enumerator")):
        for name, value in sorted(mine.items()):
            if official.get(name) != value:
                print(f"{what} {name}: ours {value}, onnx {onnx.__version__} {official.get(name)}")
                bad += 1
        missing = sorted(set(official) - set(mine))
        print(f"{len(mine)} {what}s compared; only in onnx {onnx.__version__}: {', '.join(missing) or 'none'}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
