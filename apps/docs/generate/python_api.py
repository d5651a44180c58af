"""Prints what the `srecodex` module for Python declares, as JSON: name, kind, signature and docstring, by its syntax."""

import ast
import json
import sys
from pathlib import Path

folder = Path(sys.argv[1])
trees = {path.stem: ast.parse(path.read_text("utf8")) for path in sorted(folder.glob("*.py"))}


def constant(name):
    for node in trees["__init__"].body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            return ast.literal_eval(node.value)
    raise SystemExit(f"no {name}")


def unquoted(annotation):
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return ast.unparse(annotation)


def signature(node):
    parts = []
    positional = node.args.posonlyargs + node.args.args
    first_default = len(positional) - len(node.args.defaults)
    for index, argument in enumerate(positional):
        default = node.args.defaults[index - first_default] if index >= first_default else None
        parts.append(parameter(argument, default))
        if node.args.posonlyargs and index == len(node.args.posonlyargs) - 1:
            parts.append("/")
    if node.args.vararg:
        parts.append("*" + parameter(node.args.vararg, None))
    elif node.args.kwonlyargs:
        parts.append("*")
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults):
        parts.append(parameter(argument, default))
    if node.args.kwarg:
        parts.append("**" + parameter(node.args.kwarg, None))
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = "" if node.returns is None else " -> " + unquoted(node.returns)
    line = f"{word} {node.name}({', '.join(parts)}){returns}"
    if len(line) <= 88:
        return line
    return f"{word} {node.name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){returns}"


def parameter(argument, default):
    text = argument.arg
    if argument.annotation is not None:
        text += ": " + unquoted(argument.annotation)
    if default is not None:
        text += (" = " if argument.annotation is not None else "=") + ast.unparse(default)
    return text


def is_overload(node):
    return any(ast.unparse(one) == "overload" for one in node.decorator_list)


def described(node):
    if isinstance(node, ast.ClassDef):
        bases = [ast.unparse(base) for base in node.bases if not ast.unparse(base).startswith("_")]
        members = [
            {"name": one.name, "doc": ast.get_docstring(one) or ""}
            for one in node.body
            if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")
        ]
        head = f"class {node.name}" + (f"({', '.join(bases)})" if bases else "")
        fields = [
            f"    {ast.unparse(one.target)}: {unquoted(one.annotation)}"
            for one in node.body
            if isinstance(one, ast.AnnAssign)
        ]
        text = "\n".join([head + (":" if fields else ""), *fields])
        return {"name": node.name, "kind": "class", "text": text, "members": members}
    return {"name": node.name, "kind": "function", "text": signature(node), "members": []}


found = {}
kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
for tree in trees.values():
    for node in tree.body:
        if isinstance(node, kinds) and node.name in constant("__all__") and not is_overload(node):
            found[node.name] = {**described(node), "doc": ast.get_docstring(node) or ""}
missing = sorted(set(constant("__all__")) - set(found))
if missing:
    raise SystemExit(f"declared nowhere: {', '.join(missing)}")
module = ast.get_docstring(trees["__init__"])
print(json.dumps({"doc": module, "entries": [found[name] for name in constant("__all__")]}))
