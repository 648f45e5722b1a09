"""Lets an exported text tower tell of each word piece: `token_embeds`, whose masked mean is `text_embeds`.

python -m models.train.token_output models/starter   # adds the output to a pack that lacks it, and corrects pack.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from pathlib import Path

import onnx
from onnx import TensorProto, helper

NAME = "token_embeds"


def add_token_output(path: Path) -> bool:
    """Adds the output to the ONNX file; text_embeds keeps its nodes, and so its bits. False where it is there already.

    The tower ends in norm -> masked mean -> linear head. A linear map of a mean is the mean of the maps, so the head
    applied to each piece gives pieces in the space of the photos. Rows of padding mean nothing.
    """
    model = onnx.load(str(path))
    graph = model.graph
    if any(value.name == NAME for value in graph.output):
        return False
    made = {name: node for node in graph.node for name in node.output}
    head = made["text_embeds"]
    mean = made[head.input[0]]
    masked = made[made[mean.input[0]].input[0]]
    states = next(name for name in masked.input if made[name].op_type == "LayerNormalization")
    flags = {a.name: helper.get_attribute_value(a) for a in head.attribute}
    if (head.op_type, mean.op_type, masked.op_type) != ("Gemm", "Div", "Mul") or flags.get("transB") != 1:
        raise ValueError(f"{path}: the text tower does not end in a masked mean and a linear head")
    weight, bias = head.input[1], head.input[2]
    graph.node.extend(
        [
            helper.make_node("Transpose", [weight], [f"{NAME}/weight"], name=f"{NAME}/transpose", perm=[1, 0]),
            helper.make_node("MatMul", [states, f"{NAME}/weight"], [f"{NAME}/product"], name=f"{NAME}/project"),
            helper.make_node("Add", [f"{NAME}/product", bias], [NAME], name=f"{NAME}/add"),
        ]
    )
    dims = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    graph.output.append(helper.make_tensor_value_info(NAME, TensorProto.FLOAT, ["batch", "sequence", dims]))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return True


def correct(folder: Path) -> None:
    """Writes the output's name and the file's new size and checksum into pack.json, and touches no other byte of it."""
    pack = folder / "pack.json"
    text = pack.read_text()
    described = json.loads(text)
    file = described["text"]["file"]
    content = (folder / file).read_bytes()
    old = described["files"][file]
    text = text.replace(old["sha256"], hashlib.sha256(content).hexdigest())
    entry = re.compile(r'("%s":\s*\{\s*"bytes":\s*)\d+' % re.escape(file))
    text = entry.sub(lambda m: m[1] + str(len(content)), text)
    if "tokenOutput" not in described["text"]:
        text = text.replace('"output": "text_embeds",', f'"output": "text_embeds",\n    "tokenOutput": "{NAME}",')
    json.loads(text)
    pack.write_text(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m models.train.token_output", description=__doc__)
    parser.add_argument("pack", type=Path)
    folder = parser.parse_args().pack
    add_token_output(folder / "onnx/text_model.onnx")
    correct(folder)
